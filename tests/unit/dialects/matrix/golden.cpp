#include "unit/dialects/matrix/golden.hpp"

#include "dialects/values.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::chat::test {
namespace {

constexpr std::size_t line_max = 100;

std::string full(const std::string& path) {
    return std::string(SLUICE_SOURCE_DIR) + "/tests/golden/" + path;
}

void append(std::string& out, std::string_view value, std::size_t indent) {
    const json_type type = type_of(value);
    if (value.size() <= line_max || (type != json_type::object && type != json_type::array)) {
        out += value;
        return;
    }
    const std::string pad(indent + 2, ' ');
    bool first = true;
    const auto line = [&] {
        out += first ? "\n" : ",\n";
        first = false;
        out += pad;
    };
    out += value.front();
    each_member(value, [&](std::string_view key, const json_value& v) {
        line();
        out.append(1, '"').append(key).append("\": ");
        append(out, v.raw, indent + 2);
    });
    each_element(value, [&](const json_value& v) {
        line();
        append(out, v.raw, indent + 2);
    });
    out.append(1, '\n').append(indent, ' ').append(1, value.back());
}

}  // namespace

std::string read_golden(const std::string& path) {
    std::ifstream file(full(path), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void check_golden(const std::string& path, std::string_view text) {
    if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(std::filesystem::path(full(path)).parent_path());
        std::ofstream(full(path), std::ios::binary) << text;
        return;
    }
    INFO("tests/golden/" << path);
    CHECK(read_golden(path) == text);
}

std::string pretty(std::string_view json) {
    std::string out;
    append(out, json, 0);
    return out;
}

}  // namespace sluice::chat::test
