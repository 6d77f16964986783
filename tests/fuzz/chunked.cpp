// Any bytes, as a chunked body: whole, byte by byte and in pieces of a size taken from the input must give the
// same data and the same end; what was decoded must survive being encoded again.
#include "http/chunked.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace sluice::http;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct outcome {
    progress state = progress::need_more;
    std::string body;
    std::size_t consumed = 0;
    std::string_view reason;
};

outcome decode(std::string_view wire, std::size_t piece) {
    chunked_decoder decoder;
    outcome out;
    for (std::size_t at = 0; at < wire.size() && out.state == progress::need_more;) {
        std::string_view rest = wire.substr(at, piece);
        at += rest.size();
        while (!rest.empty() && out.state == progress::need_more) {
            const auto s = decoder.feed(rest);
            require(s.consumed > 0 && s.consumed <= rest.size() && s.data.size() <= s.consumed);
            require(s.data.empty() || s.state == progress::need_more);
            require((s.state == progress::bad) == !s.reason.empty());
            out.body += s.data;
            out.consumed += s.consumed;
            out.state = s.state;
            out.reason = s.reason;
            rest.remove_prefix(s.consumed);
        }
    }
    return out;
}

void check_again(const outcome& first, std::size_t piece) {
    std::string wire;
    for (std::size_t at = 0; at < first.body.size(); at += piece) {
        const std::string_view chunk = std::string_view{first.body}.substr(at, piece);
        char line[18];
        wire.append(line, write_chunk_size(line, chunk.size())).append(chunk).append(chunk_end);
    }
    wire += last_chunk;
    const outcome again = decode(wire, wire.size());
    require(again.state == progress::done && again.body == first.body && again.consumed == wire.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = 1 + data[0] % 32;
    const std::string_view wire{reinterpret_cast<const char*>(data) + 1, size - 1};
    const outcome whole = decode(wire, std::max<std::size_t>(wire.size(), 1));
    for (const std::size_t n : {std::size_t{1}, piece}) {
        const outcome cut = decode(wire, n);
        require(cut.state == whole.state && cut.body == whole.body && cut.reason == whole.reason);
        require(cut.consumed == whole.consumed);
    }
    check_again(whole, piece);
    return 0;
}
