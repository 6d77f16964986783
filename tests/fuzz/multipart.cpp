// Any form: parts lie inside the body, and a replaced field reads back while nothing else changes.
#include "http/multipart.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

using namespace sluice::http;

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

}  // namespace

// The first line is the Content-Type, the rest the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all{reinterpret_cast<const char*>(data), size};
    const std::size_t line = all.find('\n');
    if (line == std::string_view::npos) return 0;
    const std::string_view type = all.substr(0, line);
    const std::size_t length = size - line - 1;
    const auto block = std::make_unique<char[]>(length);
    std::copy_n(all.data() + line + 1, length, block.get());
    const std::string_view body{block.get(), length};

    const auto parts = parse_multipart(body, type);
    if (!parts) return 0;
    require(parts->size() <= multipart_parts_max);
    for (const multipart_part& part : *parts) {
        require(part.value.data() >= body.data() && part.value.data() + part.value.size() <= body.data() + body.size());
        const auto pieces = replace_multipart_field(body, type, part.name, "new value");
        require(pieces.has_value() == multipart_field(body, type, part.name).has_value());
        if (!pieces) continue;
        std::string changed;
        for (const std::string_view piece : *pieces) changed += piece;
        const auto again = parse_multipart(changed, type);
        require(again.has_value() && again->size() == parts->size());
        for (std::size_t i = 0; i < parts->size(); ++i) {
            const bool replaced = (*parts)[i].name == part.name;
            require((*again)[i].name == (*parts)[i].name);
            require((*again)[i].value == (replaced ? "new value" : (*parts)[i].value));
        }
    }
    return 0;
}
