// What is wrong with a configuration, and where.
//
// Nothing in this room stops at the first problem: an operator sees everything at once. The list is bounded,
// since a file of 4 MiB could hold a hundred thousand of them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sluice::config {

// Where something stands in a file. Lines and columns count from 1, columns in characters; line 0 means
// the file as a whole.
struct place {
    std::shared_ptr<const std::string> file;  // as the operator wrote the path; may be null: nowhere
    int line = 0;
    int column = 0;
};
std::string to_string(const place& p);  // "gateway.yaml:42:17"

struct problem {
    std::string file;
    int line = 0;
    int column = 0;
    std::string path;     // "stages[2].quota.tokens_per_minute"; empty at the top
    std::string message;  // never holds the value of a secret or of a ${reference}
    std::string hint;     // what to write instead; may be empty

    bool operator==(const problem&) const = default;
};
// gateway.yaml:42:17: stages[2].quota.tokens_per_minute: expected a positive number, got "many" (hint: ...)
std::string to_string(const problem& p);

// Collects problems. The same problem is kept once: an alias or a second look at a field finds it again.
class problem_list {
public:
    static constexpr std::size_t problems_max = 200;

    void add(const place& at, std::string path, std::string message, std::string hint = {});
    bool empty() const { return kept_.empty(); }

    // Ordered by file in the order of first mention, then by line and column, so that the list reads like
    // the files. When there were more than problems_max, the last entry says how many are missing.
    std::vector<problem> take();

private:
    std::vector<problem> kept_;
    std::size_t dropped_ = 0;
};

}  // namespace sluice::config
