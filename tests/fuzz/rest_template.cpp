// Any bytes as a template over a small document, in every place: it ends, within its limits; and what an untrusted
// value adds never ends a JSON string or a header.
#include "mcp/rest/template.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace sluice::mcp::rest;

namespace {

constexpr std::string_view document = R"({"s":"a\"b\r\n/../?x=1","n":-1.50,"b":true,"z":null,"l":[1,"x",{"k":2}],
    "m":{"a":1,"b":[[]]},"args":{"c":"d"},"config":{"k":"v"}})";

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto compiled = text_template::compile({reinterpret_cast<const char*>(data), size});
    if (!compiled) {
        require(!compiled.error().message.empty());
        return 0;
    }
    static const value root = value::parse(document).value();
    template_context context;
    context.limits.output_bytes_max = 16 * 1024;
    context.limits.steps_max = 5'000;
    for (const placing where :
         {placing::text, placing::json, placing::url, placing::form, placing::header, placing::xml}) {
        const auto made = compiled->execute(root, context, where);
        require(!made || made->size() <= context.limits.output_bytes_max);
    }
    return 0;
}
