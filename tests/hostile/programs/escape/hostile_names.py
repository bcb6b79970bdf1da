#| what = "Comes with files whose names lead elsewhere, or are taken for options, patterns and commands"
#| covers = ["hostile file names"]
#| verdict = ["accepted"]
#| refused = ["../x", "a/../../x", "/etc/x", "..", ".", "", "a//b", "a/", "./x", "a/./b", "a\u0000b", "/", "x/.."]
#| [files]
#| "-rf" = "x"
#| "@options" = "-o /etc/x"
#| "*" = "x"
#| "$(touch made)" = "x"
#| "`touch made`;touch made" = "x"
#| "a\nb" = "x"
#| " " = "x"
#| "~" = "x"
#| "...." = "x"
#| "sitecustomize.py" = "raise SystemExit(7)"
#| "encodings.py" = "raise SystemExit(8)"
#| "con/aux/nul" = "x"
import os

from attack import end, got

for name in ("-rf", "@options", "*", "$(touch made)", "a\nb", " ", "~", "....", "con/aux/nul"):
    if not os.path.exists(name):
        got("missing", name)
for name in ("made", "/etc/x", "../x", "/x"):
    if os.path.exists(name):
        got("made", name)
end()
