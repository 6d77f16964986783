// Messages of an external processor: each input is a list of messages, each behind one byte that says when it comes.
#include "routing/ext_proc/processor_session.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace sluice;
using namespace sluice::ext_proc;

namespace {

// What may happen to a reply, however the processor behaves: one head, then body, one end.
struct judge {
    bool dispatched = false, head = false, over = false;

    void see(processor_session& s) {
        while (auto a = s.next()) {
            if (std::holds_alternative<dispatch>(*a)) {
                if (dispatched || over) std::abort();
                dispatched = true;
            } else if (auto* h = std::get_if<respond_headers>(&*a)) {
                if (!dispatched || head || over) std::abort();
                head = true;
                over = h->last;
            } else if (auto* b = std::get_if<respond_body>(&*a)) {
                if (!head || over) std::abort();
                over = b->last;
            } else if (std::holds_alternative<immediate_reply>(*a)) {
                if (head || over) std::abort();
                over = true;
            } else if (std::holds_alternative<abort_reply>(*a)) {
                if (!head || over) std::abort();
                over = true;
            }
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    session_config config;
    const auto flags = static_cast<unsigned char>(rest[0]);
    config.request_body = static_cast<body_mode>(flags & 3);
    config.response_body = static_cast<body_mode>((flags >> 2) & 3);
    config.on_failure = (flags & 16) != 0 ? failure_mode::open : failure_mode::closed;
    config.must_pick = (flags & 32) != 0;
    config.allow_mode_override = (flags & 64) != 0;
    config.allow_path = config.allow_authority = (flags & 128) != 0;
    rest.remove_prefix(1);
    processor_session s{config, [](std::string_view e) { return e.size() % 2 == 0; }};
    judge j;
    const processor_session::time_point now{};
    s.on_request({"POST", "http", "a", "/", 0, {}}, false, {}, now);
    bool reply = false, reply_ended = false;
    while (rest.size() >= 2) {
        const auto what = static_cast<unsigned char>(rest[0]);
        const std::size_t length = std::min<std::size_t>(static_cast<unsigned char>(rest[1]), rest.size() - 2);
        const std::string_view bytes = rest.substr(2, length);
        rest.remove_prefix(2 + length);
        switch (what & 7) {
            case 0:
                s.on_request_body(bytes, (what & 8) != 0, now);
                break;
            case 1:
                if (j.dispatched && !reply) {
                    s.on_response({"", "", "", "", 200, {}}, (what & 8) != 0, "1.2.3.4:5", now);
                    reply = true;
                    reply_ended = (what & 8) != 0;
                }
                break;
            case 2:
                if (reply && !reply_ended) {
                    s.on_response_body(bytes, (what & 8) != 0, now);
                    reply_ended = (what & 8) != 0;
                }
                break;
            case 3:
                s.on_closed(what >> 3, now);
                break;
            case 4:
                if (s.deadline()) s.on_deadline(*s.deadline());
                break;
            default:
                s.on_message(bytes, now);
                break;
        }
        j.see(s);
    }
    return 0;
}
