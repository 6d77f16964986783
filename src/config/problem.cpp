#include "config/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace sluice::config {

std::string to_string(const place& p) {
    const std::string file = p.file ? *p.file : std::string{};
    return p.line > 0 ? fmt::format("{}:{}:{}", file, p.line, p.column) : file;
}

std::string to_string(const problem& p) {
    std::string text = p.file;
    if (p.line > 0) text += fmt::format(":{}:{}", p.line, p.column);
    if (!text.empty()) text += ": ";
    if (!p.path.empty()) text += p.path + ": ";
    text += p.message;
    if (!p.hint.empty()) text += " (hint: " + p.hint + ")";
    return text;
}

void problem_list::add(const place& at, std::string path, std::string message, std::string hint) {
    problem p{
        at.file ? *at.file : std::string{}, at.line, at.column, std::move(path), std::move(message), std::move(hint)};
    if (std::find(kept_.begin(), kept_.end(), p) != kept_.end()) return;
    if (kept_.size() == problems_max) {
        ++dropped_;
        return;
    }
    kept_.push_back(std::move(p));
}

std::vector<problem> problem_list::take() {
    std::vector<std::string> files;
    const auto rank = [&](const problem& p) { return std::find(files.begin(), files.end(), p.file) - files.begin(); };
    for (const problem& p : kept_) {
        if (rank(p) == std::ssize(files)) files.push_back(p.file);
    }
    std::vector<std::size_t> order(kept_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t i) {
        return std::tuple(rank(kept_[i]), kept_[i].line, kept_[i].column, i);  // `i`: as reported on a tie
    };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    std::vector<problem> sorted;
    for (const std::size_t i : order) sorted.push_back(std::move(kept_[i]));
    if (dropped_ > 0) {
        sorted.push_back({{}, 0, 0, {}, fmt::format("{} more problems are not shown", dropped_), "mend these first"});
    }
    dropped_ = 0;
    kept_.clear();
    return sorted;
}

}  // namespace sluice::config
