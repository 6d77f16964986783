// Any bytes, cut anywhere: the same events as in one piece, no byte lost, the boundary scanner agrees.
#include "http/sse_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace sluice::http;

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

struct reading {
    std::vector<std::string> fields;  // raw, data, name and id of each event
    std::string bytes;                // all raw bytes and the rest
    std::size_t counted = 0;
    bool operator==(const reading&) const = default;
};

// `cuts`: sizes of the pieces, used in turn; none: one piece.
reading read(std::string_view text, std::string_view cuts) {
    reading r;
    sse_reader reader(300);
    sse_boundary boundary;
    std::size_t turn = 0;
    while (!text.empty()) {
        const std::size_t n =
            cuts.empty()
                ? text.size()
                : std::min<std::size_t>(1 + static_cast<unsigned char>(cuts[turn++ % cuts.size()]) % 40, text.size());
        const auto piece = std::make_unique<char[]>(n);
        std::copy_n(text.data(), n, piece.get());
        text.remove_prefix(n);
        reader.feed({piece.get(), n});
        sse_event e;
        while (reader.next(e)) {
            r.bytes += e.raw;
            for (const std::string_view field : {e.raw, e.data, e.name, e.id}) r.fields.emplace_back(field);
            require(e.has_data || e.data.empty());
        }
        r.counted += boundary.feed({piece.get(), n});
        require(reader.held_bytes() <= 1024);
        if (!reader.too_large()) require(reader.rest().empty() == boundary.between_events());
    }
    if (reader.too_large()) {
        r.bytes = "too large";
    } else {
        r.bytes += reader.rest();
    }
    return r;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const std::string_view all{reinterpret_cast<const char*>(data), size};
    const std::string_view text = all.substr(4);
    const reading whole = read(text, {});
    require(whole.bytes == text || whole.bytes == "too large");
    require(read(text, all.substr(0, 4)) == whole);
    require(read(text, std::string_view("\0", 1)) == whole);

    std::string written;
    append_sse(written, all.substr(0, 4), text);
    sse_reader reader;
    sse_event e;
    reader.feed(written);
    require(reader.next(e) && e.has_data && e.raw == written);
    return 0;
}
