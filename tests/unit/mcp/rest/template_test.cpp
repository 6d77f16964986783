#include "mcp/rest/template.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp::rest {

namespace {

constexpr std::string_view sample = R"({"name":"Ada","age":36,"price":1.10,"on":true,"none":null,"empty":[],
    "items":[{"id":1,"tag":"a"},{"id":2,"tag":"b"},{"id":3}],"map":{"x":1,"y":2},
    "config":{"key":"k/1"},"args":{"city":"a b","list":["p","q"]}})";

std::string run(std::string_view source, placing where = placing::text) {
    auto compiled = text_template::compile(source);
    if (!compiled) return "compile: " + compiled.error().message;
    random_source random{7};
    template_context context;
    context.now = std::chrono::sys_days{std::chrono::year{2024} / 3 / 9} + std::chrono::hours{16};
    context.random = &random;
    context.remote_address = "192.0.2.7";
    context.beside = value::parse(R"({"extra":{"x":"beside"}})").value();
    context.limits.output_bytes_max = 4096;
    context.limits.steps_max = 20'000;
    auto made = compiled->execute(value::parse(sample).value(), context, where);
    return made ? *made : "error: " + made.error().message;
}

}  // namespace

TEST_CASE("text, paths and missing values print as gjson prints them") {
    CHECK(run("no action") == "no action");
    CHECK(run("{{.name}} {{.age}} {{.price}} {{.on}}") == "Ada 36 1.10 true");
    CHECK(run("[{{.none}}{{.nowhere}}{{.name.deeper.still}}{{.items.9.id}}]") == "[]");
    CHECK(run("{{.items.1.tag}} {{(index .items 0).id}} {{index .map \"y\"}}") == "b 1 2");
    CHECK(run("{{.map}} {{.items}}") == R"({"x":1,"y":2} [{"id":1,"tag":"a"},{"id":2,"tag":"b"},{"id":3}])");
    CHECK(run("{{.extra.x}} {{$.extra.x}}") == "beside beside");
}

TEST_CASE("white space is trimmed where a marker asks for it") {
    CHECK(run("a \n {{- .age -}} \n b") == "a36b");
    CHECK(run("a {{/* gone */}} b{{- /* and the space */ -}}  c") == "a  bc");
    CHECK(run("{{-3}}") == "-3");
}

TEST_CASE("branches, loops and variables") {
    CHECK(run("{{if .empty}}x{{else if .on}}y{{else}}z{{end}}") == "y");
    CHECK(run("{{if not .nowhere}}none{{end}}") == "none");
    CHECK(run("{{range .items}}{{.id}}{{.tag}};{{end}}") == "1a;2b;3;");
    CHECK(run("{{range $i, $x := .items}}{{if $i}},{{end}}{{$x.id}}{{end}}") == "1,2,3");
    CHECK(run("{{range $k, $v := .map}}{{$k}}={{$v}} {{end}}") == "x=1 y=2 ");
    CHECK(run("{{range .empty}}x{{else}}nothing{{end}}{{range .nowhere}}x{{end}}") == "nothing");
    CHECK(run("{{range .items}}{{if eq .id 2}}{{break}}{{end}}{{.id}}{{end}}") == "1");
    CHECK(run("{{range .items}}{{if eq .id 2}}{{continue}}{{end}}{{.id}}{{end}}") == "13");
    CHECK(run("{{with .map}}{{.x}}{{$.name}}{{end}}{{with .none}}x{{else}}-{{end}}") == "1Ada-");
    CHECK(run("{{$n := 1}}{{range .items}}{{$n = add $n .id}}{{end}}{{$n}}") == "7");
    CHECK(run("{{range 3}}{{.}}{{end}}") == "012");
}

TEST_CASE("functions and pipelines") {
    CHECK(run("{{.name | upper | len}}") == "3");
    CHECK(run("{{printf \"%s-%03d|%5.2f|%-4s|%q\" .name .age .price \"x\" \"a\\\"b\"}}") ==
          R"(Ada-036| 1.10|x   |"a\"b")");
    CHECK(run("{{default \"d\" .nowhere}} {{.name | default \"d\"}} {{coalesce .none 0 \"c\"}}") == "d Ada c");
    CHECK(run("{{ternary \"yes\" \"no\" .on}} {{and .on .name}} {{or .none .age}}") == "yes Ada 36");
    CHECK(run("{{join \",\" .args.list}} {{len .items}} {{(last .items).id}}") == "p,q 3 3");
    CHECK(run("{{add 1 2 3}} {{sub 5 7}} {{div 7 2}} {{mod 7 2}} {{mul 2 1.5}} {{round 2.345 1}}") == "6 -2 3 1 3 2.3");
    CHECK(run("{{eq .age 36}} {{eq .name \"x\" \"Ada\"}} {{lt 2 10}} {{gt \"b\" \"a\"}} {{ne .none nil}}") ==
          "true true true true false");
    CHECK(run("{{toJson .map}} {{b64enc \"a?>\"}} {{urlquery \"a b\"}}") == R"({"x":1,"y":2} YT8+ a%20b)");
    CHECK(run("{{trunc 2 \"\u4e2d\u6587\u5b57\"}} {{replace \"a\" \"b\" \"banana\"}}") == "\u4e2d\u6587 bbnbnb");
    CHECK(run("{{range $p := splitList \",\" \"a,b\"}}<{{$p}}>{{end}}") == "<a><b>");
    CHECK(run("{{date \"2006-01-02 15:04:05\" now}} {{dateInZone \"Jan 2 15:04 -07:00\" now \"Asia/Shanghai\"}}") ==
          "2024-03-09 16:00:00 Mar 10 00:00 +08:00");
    CHECK(run("{{now | unixEpoch}} {{getRealIP}}") == "1710000000 192.0.2.7");
    const std::string id = run("{{uuidv4}}");
    CHECK(id.size() == 36);
    CHECK(id[14] == '4');
}

TEST_CASE("gjson paths") {
    CHECK(run("{{gjson \"items.#\"}} {{gjson \"items.#.tag\"}}") == R"(3 ["a","b"])");
    CHECK(run("{{gjson \"items.#(id==2).tag\"}} {{gjson `items.#(tag==\"a\")#.id`}}") == "b [1]");
    CHECK(run("{{gjson \"items.#(id>=2)#.id\"}} {{gjson \"items.@reverse.0.id\"}}") == "[2,3] 3");
    CHECK(run("{{gjson \"na*\"}} {{gjson \"map.@keys\"}} {{gjson \"extra.x\"}}") == R"(Ada ["x","y"] beside)");
    CHECK(run("{{range $u := gjson \"items.#(tag)#\"}}{{$u.id}}{{end}}") == "12");
    CHECK(run("{{gjson \"{a,b}\"}}").starts_with("error: 1:3: gjson path"));
}

TEST_CASE("a template that is wrong says where, and what may be meant") {
    CHECK(run("a\n  {{tojson .x}}") == "compile: 2:5: there is no function \"tojson\"; did you mean \"toJson\"?");
    CHECK(run("{{if .x}}") == "compile: 1:10: an if, range or with is not closed by {{end}}");
    CHECK(run("{{end}}") == "compile: 1:1: there is nothing open to end here");
    CHECK(run("{{.x") == "compile: 1:1: an action is not closed by }}");
    CHECK(run("{{$v}}") == "compile: 1:3: the variable $v is not declared");
    CHECK(run("{{if .on}}{{$v := 1}}{{end}}{{$v}}") == "compile: 1:31: the variable $v is not declared");
    CHECK(run("{{.x .y}}") == "compile: 1:3: only a function can be given arguments");
    CHECK(run("{{ternary 1}}") == "compile: 1:3: ternary does not take 1 arguments");
    CHECK(run("{{define \"x\"}}{{end}}") == "compile: 1:1: define, template and block are not supported");
    CHECK(run("{{break}}") == "compile: 1:1: break and continue belong inside a range");
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "{{if 1}}";
    CHECK(run(deep).ends_with("actions are nested too deeply"));
    CHECK(run("{{" + std::string(100, '(') + "1}}").ends_with("parentheses are nested too deeply"));
}

TEST_CASE("a template that runs away is stopped") {
    CHECK(run("{{range 1000000000}}{{end}}").ends_with("too many steps"));
    CHECK(run("{{range 1000}}0123456789{{end}}").ends_with("too long"));
    CHECK(run("{{repeat 100000 \"x\"}}").ends_with("too long"));
    CHECK(run("{{$s := \"xx\"}}{{range 40}}{{$s = print $s $s}}{{end}}").ends_with("too long"));
    CHECK(run("{{$s := list 1}}{{range 40}}{{$s = concat $s $s}}{{end}}").ends_with("too long a list"));
    CHECK(run("{{$s := 1}}{{range 500}}{{$s = list $s $s}}{{end}}").ends_with("nested too deeply"));
    CHECK(run("{{$s := 1}}{{range 100}}{{$s = list $s $s}}{{end}}{{$s}}").ends_with("too long"));
    CHECK(run("{{div 1 0}}") == "error: 1:3: division by zero");
}

TEST_CASE("a value placed in JSON stays one value") {
    const auto json = [](std::string_view source, std::string_view data) {
        const auto compiled = text_template::compile(source).value();
        const auto made = compiled.execute(value::parse(data).value(), {}, placing::json);
        return made ? *made : "error: " + made.error().message;
    };
    CHECK(json(R"({"a":"{{.v}}"})", R"({"v":"x\",\"admin\":true,\"y\":\"\\"})") ==
          R"({"a":"x\",\"admin\":true,\"y\":\"\\"})");
    CHECK(json(R"({"a":{{.v}}})", R"({"v":"1,\"admin\":true"})") == R"({"a":"1,\"admin\":true"})");
    CHECK(json(R"({"a":{{.v}},"b":{{.w}}})", R"({"v":[1,"x"]})") == R"({"a":[1,"x"],"b":null})");
    CHECK(json(R"({"a":{{toJson .v}},"b":"{{toJson .v}}"})", R"({"v":"x"})") == R"({"a":"x","b":"\"x\""})");
    CHECK(json(R"({"a":{{.v | quote}}})", R"({"v":"x\"y"})") == R"({"a":"x\"y"})");
    CHECK(json(R"({"a":"\{{.v}}"})", R"({"v":"\""})").starts_with("error"));
    CHECK(json(R"({"a":{{print .v ""}}})", R"({"v":"1}"})") == R"({"a":"1}"})");
}

TEST_CASE("a value placed in a URL, a header or a form stays inside") {
    CHECK(run("https://h/{{.args.city}}?q={{.args.city}}", placing::url) == "https://h/a%20b?q=a%20b");
    CHECK(run("https://{{.name}}.h/", placing::url).ends_with("choose the host of a request"));
    CHECK(run("https://h/{{\"a/b\"}}", placing::url) == "https://h/a/b");
    auto data = value::parse(R"({"config":{"u":"https://h/v1"},"a":"../x?y#z"})").value();
    data = value::object({{"config", data.get("config").as_trusted()}, {"a", data.get("a")}}).value();
    const auto url = text_template::compile("{{.config.u}}/{{.a}}").value();
    CHECK(url.execute(data, {}, placing::url).value() == "https://h/v1/..%2Fx%3Fy%23z");
    const auto header = text_template::compile("X {{.a}}").value();
    CHECK(header.execute(value::parse(R"({"a":"b\r\nEvil: 1"})").value(), {}, placing::header).has_error());
    CHECK(run("a={{.args.city}}", placing::form) == "a=a%20b");
    CHECK(run("<a>{{.map}}</a>", placing::xml) == "<a>{&quot;x&quot;:1,&quot;y&quot;:2}</a>");
}

}  // namespace sluice::mcp::rest
