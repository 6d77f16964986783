#include "mcp/serve/view.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp {
namespace {

class fixed_source final : public feature_source {
public:
    explicit fixed_source(std::string name) : name_(std::move(name)) {}
    std::string_view name() const override { return name_; }
    std::shared_ptr<const feature_set> features() override { return set; }
    awaitable<outcome> perform(const call&, call_channel&) override { co_return completed{"{}"}; }

    fixed_source& tools(std::initializer_list<std::string> names) {
        auto made = std::make_shared<feature_set>();
        for (const std::string& n : names)
            made->tools.push_back({n, R"({"name":")" + n + R"(","inputSchema":{"type":"object"}})", {}});
        set = made;
        return *this;
    }
    std::shared_ptr<const feature_set> set;

private:
    std::string name_;
};

std::shared_ptr<fixed_source> source(std::string name, std::initializer_list<std::string> tools) {
    auto s = std::make_shared<fixed_source>(std::move(name));
    s->tools(tools);
    return s;
}

std::vector<std::string> tool_names(view& v) {
    std::vector<std::string> out;
    for (const view_entry& e : v.now()->of(feature_kind::tool)) out.push_back(e.name);
    return out;
}

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("names of several sources stay where nothing collides") {
    view v({{source("one", {"a", "b"}), {}, {}, {}}, {source("two", {"c"}), {}, {}, {}}});
    CHECK(tool_names(v) == names{"a", "b", "c"});
    CHECK(v.now()->of(feature_kind::tool)[0].json == R"({"name":"a","inputSchema":{"type":"object"}})");
}

TEST_CASE("names that collide are prefixed, all of them") {
    view v({{source("one", {"a", "b"}), {}, {}, {}}, {source("two/x", {"b"}), {}, {}, {}}});
    CHECK(tool_names(v) == names{"a", "one_b", "two_x_b"});
    const view_entry* e = v.now()->find(feature_kind::tool, "two_x_b");
    REQUIRE(e != nullptr);
    CHECK(e->own_name == "b");
    CHECK(e->source == 1);
    CHECK(e->json == R"({"name":"two_x_b","inputSchema":{"type":"object"}})");
    CHECK(v.now()->find(feature_kind::tool, "b") == nullptr);
}

TEST_CASE("a view selects, prefixes and renames") {
    view v(
        {{source("one", {"get_a", "put_a"}), {"get_*"}, "o_", {}}, {source("two", {"x", "y"}), {}, {}, {{"x", "z"}}}});
    CHECK(tool_names(v) == names{"o_get_a", "z", "y"});
    CHECK(v.now()->find(feature_kind::tool, "z")->own_name == "x");
}

TEST_CASE("a source of which nothing is known takes nothing from the others") {
    const auto late = std::make_shared<fixed_source>("late");
    view v({{late, {}, {}, {}}, {source("two", {"c"}), {}, {}, {}}});
    CHECK(tool_names(v) == names{"c"});
    const auto before = v.now();
    CHECK(v.now() == before);
    late->tools({"d"});
    CHECK(tool_names(v) == names{"d", "c"});
    CHECK(v.now()->digest(feature_kind::tool) != before->digest(feature_kind::tool));
}

TEST_CASE("a source that names two tools alike is served its first") {
    view v({{source("one", {"a", "a"}), {}, {}, {}}});
    CHECK(tool_names(v) == names{"a"});
}

TEST_CASE("a resource is served by who lists it, or whose template fits") {
    const auto one = std::make_shared<fixed_source>("one"), two = std::make_shared<fixed_source>("two");
    auto a = std::make_shared<feature_set>(), b = std::make_shared<feature_set>();
    a->resources.push_back({"x://a", R"({"uri":"x://a"})", {}});
    b->resources.push_back({"x://a", R"({"uri":"x://a"})", {}});
    b->templates.push_back({"y://{id}", R"({"uriTemplate":"y://{id}"})", {}});
    one->set = a;
    two->set = b;
    view v({{one, {}, {}, {}}, {two, {}, {}, {}}});
    CHECK(v.now()->of(feature_kind::resource).size() == 1);
    CHECK(v.now()->source_of_resource("x://a") == 0u);
    CHECK(v.now()->source_of_resource("y://5") == 1u);
    CHECK_FALSE(v.now()->source_of_resource("z://5").has_value());
}

}  // namespace sluice::mcp
