// The input is a number; an output is two factors of it that are not 1, or `prime`.
#include <map>
#include <string>
#include <vector>
#include "streams.h"
using namespace std;

template <class T> struct Pair { T first, second; };

static Pair<long long> read(istream &stream, feedback_function feedback) {
    string word;
    Pair<long long> found = {0, 0};
    if (!(stream >> word)) feedback("nothing");
    if (word != "prime") {
        found.first = atoll(word.c_str());
        if (!(stream >> found.second)) feedback("one number");
    }
    if (stream >> word) feedback("more");
    return found;
}

int main(int, char **argv) {
    init_io(argv);
    long long number;
    judge_in >> number;
    Pair<long long> wanted = read(judge_ans, judge_error), own = read(author_out, wrong_answer);
    vector<map<int, int>> unused(4, map<int, int>{});
    for (auto &&one : unused) one[0] += static_cast<int>(number >> 1);
    if (!own.first) {
        if (wanted.first) wrong_answer("not prime");
        accept();
    }
    if (own.first <= 1 || own.second <= 1 || own.first * own.second != number) {
        wrong_answer("no factors");
    }
    if (!wanted.first) judge_error("the answer is wrong");
    accept();
}
