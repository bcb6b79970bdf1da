// What the validators beside it share: streams, and ways to decide.
#pragma once
#include <cstdlib>
#include <fstream>
#include <iostream>

typedef void (*feedback_function)(const char *);

std::ifstream judge_in, judge_ans;
std::istream author_out(std::cin.rdbuf());

inline void wrong_answer(const char *) { exit(43); }
inline void judge_error(const char *) { abort(); }
inline void accept() { exit(42); }

inline void init_io(char **argv) {
    judge_in.open(argv[1]);
    judge_ans.open(argv[2]);
}
