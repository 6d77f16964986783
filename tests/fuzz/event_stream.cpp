// Any bytes, cut anywhere: the same events and the same error as in one piece; what is written reads back.
#include "http/event_stream.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::http;

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

// `cuts`: sizes of the pieces, used in turn; none: one piece.
std::vector<std::string> read(std::string_view text, std::string_view cuts) {
    std::vector<std::string> seen;
    aws_event_reader reader(1U << 16);
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
        aws_event e;
        for (;;) {
            const result<bool> got = reader.next(e);
            if (!got) {
                seen.push_back(describe(got.error()));
                return seen;
            }
            if (!*got) break;
            for (const std::string_view field : {e.name, e.data, e.content_type}) seen.emplace_back(field);
        }
        require(reader.held_bytes() < (1U << 16));
    }
    const result<void> end = reader.finish();
    if (!end) seen.push_back(describe(end.error()));
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const std::string_view all{reinterpret_cast<const char*>(data), size};
    const std::string_view cuts = all.substr(0, 4);
    const std::string_view text = all.substr(4);
    const auto whole = read(text, {});
    require(read(text, cuts) == whole);
    require(read(text, std::string_view("\0", 1)) == whole);

    // Bytes as payload, and as a header's value: checksums are right, so that what is behind them is reached.
    if (text.size() > 1000) return 0;
    std::string written;
    const std::array<aws_header, 2> headers = {{{":event-type", text}, {"x", cuts}}};
    append_aws_message(written, headers, text);
    append_aws_exception(written, "e", cuts);
    const auto back = read(written, cuts);
    require(back == std::vector<std::string>{std::string(text), std::string(text), "", "exception:e", std::string(cuts),
                                             "application/json"});
    return 0;
}
