#include "config/references.hpp"

#include "config/file_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace sluice::config {
namespace {

bool variable_name(std::string_view s) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !s.empty() && letter(s[0]) &&
           std::all_of(s.begin(), s.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// An error whose `param` is the hint.
error failure(std::string message, std::string hint) {
    return error{error_kind::bad_request, std::move(message), std::move(hint)};
}

}  // namespace

environment environment::process() {
    return {[](const std::string& name) -> std::optional<std::string> {
                const char* value = std::getenv(name.c_str());
                return value != nullptr ? std::optional<std::string>{value} : std::nullopt;
            },
            [](const std::string& path) { return read_file(path, reference_bytes_max); }};
}

std::string beside(const place& file, const std::string& path) {
    const std::filesystem::path p{path};
    if (p.is_absolute() || !file.file) return path;
    return (std::filesystem::path{*file.file}.parent_path() / p).lexically_normal().string();
}

std::optional<resolved> references::resolve(const node& scalar, const std::string& path, problem_list& problems) {
    resolved out;
    std::string_view rest = scalar.text;
    for (auto dollar = rest.find('$'); dollar != std::string_view::npos; dollar = rest.find('$')) {
        out.text += rest.substr(0, dollar);
        rest.remove_prefix(dollar);
        if (rest.starts_with("$${")) {
            out.text += "${";
            rest.remove_prefix(3);
        } else if (!rest.starts_with("${")) {
            out.text += '$';
            rest.remove_prefix(1);
        } else {
            const auto close = rest.find('}');
            auto value = close == std::string_view::npos
                             ? result<std::string>{failure("a reference lacks its }", "write $${ for a literal ${")}
                             : expand(rest.substr(2, close - 2), scalar.at);
            if (value && out.text.size() + value->size() > resolved_bytes_max) {
                value = failure(fmt::format("longer than {} KiB with its references", resolved_bytes_max / 1024), {});
            } else if (value && (replaced_ += value->size()) > replaced_bytes_max) {
                value = failure(fmt::format("more than {} MiB of references", replaced_bytes_max >> 20), {});
            }
            if (!value) {
                problems.add(scalar.at, path, value.error().message, value.error().param);
                return std::nullopt;
            }
            out.text += *value;
            out.referenced = true;
            rest.remove_prefix(close + 1);
        }
    }
    out.text += rest;
    return out;
}

result<std::string> references::expand(std::string_view reference, const place& at) {
    if (reference.starts_with("file:")) {
        const std::string path{reference.substr(5)};
        if (path.empty()) return failure("${file:} lacks its path", "write ${file:/path}");
        return file_content(beside(at, path));
    }
    const auto split = reference.find(":-");
    const std::string name{reference.substr(0, split)};
    if (!variable_name(name)) {
        return failure("not a reference: expected ${NAME}, ${NAME:-default} or ${file:/path}",
                       "write $${ for a literal ${");
    }
    auto value = env_.variable(name);
    if (split != std::string_view::npos && (!value || value->empty())) return std::string{reference.substr(split + 2)};
    if (!value) {
        return failure(fmt::format("the environment variable {} is not set", name),
                       fmt::format("set it, or write ${{{}:-default}}", name));
    }
    if (find_fault(*value)) return failure(fmt::format("the environment variable {} is not UTF-8 text", name), {});
    return std::move(*value);
}

result<std::string> references::file_content(const std::string& path) {
    const auto known = files_.find(path);
    if (known != files_.end()) return known->second;
    auto content = env_.file(path);
    if (!content) {
        content = failure(fmt::format("the file {} cannot be read: {}", path, content.error().message), {});
    } else if (find_fault(*content)) {
        content = failure(fmt::format("the file {} is not UTF-8 text", path), {});
    } else {
        if (content->ends_with('\n')) content->pop_back();
        if (content->ends_with('\r')) content->pop_back();
    }
    files_.emplace(path, content);
    return content;
}

std::vector<std::string> references::files() const {
    std::vector<std::string> paths;
    for (const auto& [path, content] : files_) paths.push_back(path);
    return paths;
}

}  // namespace sluice::config
