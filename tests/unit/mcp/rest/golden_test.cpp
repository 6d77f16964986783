// Every tool of real definition files makes the request that is written down in tests/golden/rest-to-mcp.
// To write them anew after a change that is meant: SLUICE_WRITE_GOLDENS=1 unit_tests "[rest-golden]", then read the
// diff.
#include "config/json_text.hpp"
#include "http/json_writer.hpp"
#include "mcp/rest/request.hpp"
#include "mcp/rest/tool_schema.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::mcp::rest {

namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// One value of each type, with what must be escaped where it goes.
value sample(const argument& a) {
    if (!a.choices.items().empty()) return a.choices.at(0);
    switch (a.type) {
        case arg_type::string:
            return value::string("\u5317\u4eac a&b/" + a.name);
        case arg_type::number:
            return value::number(1.5);
        case arg_type::integer:
            return value::integer(7);
        case arg_type::boolean:
            return value::boolean(true);
        case arg_type::array:
            return value::array({value::string("x y"), value::string("z")}).value();
        case arg_type::object:
            break;
    }
    return value::object({{"k", value::string("v\"w")}}).value();
}

value sample_arguments(const tool& t) {
    value::members out;
    for (const argument& a : t.args) {
        // Defaults are to be seen at work.
        if (a.otherwise.is(value::kind::missing)) out.emplace_back(a.name, sample(a));
    }
    return value::object(std::move(out)).value();
}

std::string requests_of(const definition& d) {
    random_source random{1};
    template_context context;
    context.random = &random;
    std::string out;
    http::json_writer w{out};
    w.begin_array();
    for (const tool& t : d.tools) {
        INFO(t.name);
        const std::string arguments = sample_arguments(t).json(1 << 20);
        const auto args = read_arguments(t, arguments);
        REQUIRE(args.has_value());
        const auto request = make_request(d, t, *args, context);
        w.begin_object().key("tool").string(t.name).key("arguments").raw(arguments);
        if (!request) {
            w.key("error").string(request.error().message).end_object();
            continue;
        }
        w.key("method").string(request->method).key("url").string(request->url).key("headers").begin_object();
        for (const auto& [name, v] : request->headers) w.key(name).string(v);
        w.end_object();
        if (!request->body.empty()) w.key("body").string(request->body);
        w.end_object();
    }
    w.end_array();
    return config::indent_json(out) + '\n';
}

}  // namespace

TEST_CASE("real definition files load and their tools make the requests written down", "[rest-golden]") {
    const fs::path folder = fs::path{SLUICE_SHARED_DATA} / "rest-to-mcp";
    if (!fs::exists(folder)) {
        WARN("skipped: no definition files in " << folder);
        return;
    }
    const fs::path goldens = fs::path{SLUICE_SOURCE_DIR} / "tests/golden/rest-to-mcp";
    const bool write = std::getenv("SLUICE_WRITE_GOLDENS") != nullptr;
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator{folder}) {
        if (entry.path().extension() != ".yaml") continue;
        ++files;
        INFO(entry.path().filename().string());
        const auto loaded = load_definition(read_file(entry.path()), entry.path().filename().string(),
                                            {{"appCode", secret{"CODE-1"}}, {"apiKey", secret{"KEY-1"}}});
        for (const auto& p : loaded.problems) CHECK(to_string(p) == "");
        REQUIRE(loaded.made.has_value());
        for (const auto& w : loaded.warnings) WARN(to_string(w));
        for (const tool& t : loaded.made->tools) {
            INFO(t.name);
            CHECK(validate_json(tool_json(t)).has_value());
        }
        const std::string made = requests_of(*loaded.made);
        const fs::path golden = goldens / (entry.path().stem().string() + ".json");
        if (write) {
            fs::create_directories(goldens);
            std::ofstream{golden, std::ios::binary} << made;
        }
        CHECK(made == read_file(golden));
    }
    CHECK(files == 18);
}

}  // namespace sluice::mcp::rest
