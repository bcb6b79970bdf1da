//| what = "Brings a program of its own under the name of the compiler's output, and does not compile"
//| covers = ["hostile file names", "harness files"]
//| verdict = ["compile_error"]
//| [files]
//| "a.out" = "#!/bin/sh\necho contained\n"
int main(void) { return missing; }
