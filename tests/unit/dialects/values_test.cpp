#include "dialects/values.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

TEST_CASE("the arguments of a call are the same object in either form", "[dialects][values]") {
    text_arena arena;
    tool_call call;
    call.arguments = R"("{\"city\":\"K\u00f6ln\",\"n\":1}")";
    const auto object = arguments_object(call, arena);
    REQUIRE(object.has_value());
    CHECK(*object == "{\"city\":\"K\xc3\xb6ln\",\"n\":1}");
    call.arguments = *object;
    CHECK(arguments_string(call, arena) == "\"{\\\"city\\\":\\\"K\xc3\xb6ln\\\",\\\"n\\\":1}\"");
    call.arguments = R"("")";
    CHECK(*arguments_object(call, arena) == "{}");
    call.arguments = R"("[1]")";
    CHECK_FALSE(arguments_object(call, arena).has_value());
    call.arguments = R"("{\"a\":")";
    CHECK_FALSE(arguments_object(call, arena).has_value());
}

TEST_CASE("a data URL gives type and data, any other URL nothing", "[dialects][values]") {
    text_arena arena;
    const auto plain = read_data_url(R"("data:image/png;base64,iVBORw0KGgo=")", arena);
    REQUIRE(plain);
    CHECK(plain->mime == "image/png");
    CHECK(plain->base64 == "iVBORw0KGgo=");
    const auto escaped = read_data_url(R"("data:image\/jpeg;charset=x;base64,\/9j\/")", arena);
    REQUIRE(escaped);
    CHECK(escaped->mime == "image/jpeg");
    CHECK(escaped->base64 == R"(\/9j\/)");
    CHECK_FALSE(read_data_url(R"("https://example.com/a.png")", arena));
    CHECK_FALSE(read_data_url(R"("data:text/plain,hello")", arena));
    CHECK(data_url_of("image/png", "AAAA", arena) == R"("data:image/png;base64,AAAA")");
}

TEST_CASE("a foreign signature finds its way back to its maker", "[dialects][values]") {
    text_arena arena;
    CHECK(tag_foreign("abc", "gemini", "gemini", arena) == "abc");
    const json_chars tagged = tag_foreign("abc:d", "gemini", "anthropic", arena);
    CHECK(tagged == "gemini:abc:d");
    CHECK((untag(tagged, "anthropic") == std::pair<json_chars, family>("abc:d", "gemini")));
    CHECK((untag("EqQB", "anthropic") == std::pair<json_chars, family>("EqQB", "anthropic")));
}

TEST_CASE("an object that comes in pieces is whole at its last brace, wherever it was cut", "[dialects][values]") {
    const std::string_view inside = R"({\"a\":\"}\\\" {\",\"b\":[{\"c\":1}],\"d\":\"\u005c\u0022}\"})";
    for (std::size_t cut = 0; cut < inside.size(); ++cut) {
        object_progress progress;
        progress.feed(inside.substr(0, cut));
        INFO(cut);
        CHECK_FALSE(progress.whole());
        progress.feed(inside.substr(cut));
        CHECK(progress.whole());
    }
    object_progress all;
    std::vector<std::size_t> whole_at;
    for (std::size_t i = 0; i < inside.size(); ++i) {
        all.feed(inside.substr(i, 1));
        if (all.whole()) whole_at.push_back(i);
    }
    CHECK(whole_at == std::vector<std::size_t>{inside.size() - 1});
}

TEST_CASE("members and elements are walked without an index", "[dialects][values]") {
    std::string seen;
    each_member(R"({ "a" : 1 , "b":[2, {"x":3}] ,"c":"," } )",
                [&](std::string_view k, const json_value& v) { seen.append(k).append("=").append(v.raw).append(";"); });
    CHECK(seen == R"(a=1;b=[2, {"x":3}];c=",";)");
    seen.clear();
    each_element("[1, \"a,b\",[3] ]", [&](const json_value& v) { seen.append(v.raw).append(";"); });
    CHECK(seen == "1;\"a,b\";[3];");
    each_element("[]", [&](const json_value&) { FAIL(); });
    each_member("{ }", [&](std::string_view, const json_value&) { FAIL(); });
    each_member("17", [&](std::string_view, const json_value&) { FAIL(); });
}

TEST_CASE("the texts of a result are one text", "[dialects][values]") {
    text_arena arena;
    tool_result r;
    CHECK(text_of(r, arena) == R"("")");
    r.content.push_back({text_part{R"("a\n")", {}, {}}});
    CHECK(text_of(r, arena) == R"("a\n")");
    r.content.push_back({text_part{R"("b")", {}, {}}});
    CHECK(text_of(r, arena) == R"("a\n\nb")");
    r.structured = R"({"x":"y"})";
    CHECK(text_of(r, arena) == R"("{\"x\":\"y\"}")");
}
