// Plays a byte timeline against the request side of the codec: head, then the body by its framing.
#pragma once

#include "http/chunked.hpp"
#include "http/request_parser.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::http::test {

struct outcome {
    int status = 0;  // 0: accepted, -1: not complete, else the refusal's
    std::string reason;
    std::string head;  // method, target, host, body framing of an accepted one
    std::string body;
    std::size_t left = 0;  // bytes behind the message

    friend bool operator==(const outcome&, const outcome&) = default;
};

class request_driver {
public:
    explicit request_driver(std::string_view wire, head_limits limits = {}) : wire_(wire), limits_(limits) {}

    // `arrivals` are ascending numbers of bytes received so far; the last one should be the whole.
    outcome play(const std::vector<std::size_t>& arrivals) {
        for (const std::size_t received : arrivals) {
            receive(received);
            if (result_.status != -1) break;
        }
        if (result_.status == 0) result_.left = wire_.size() - at_;
        return result_;
    }

    const request_head& head() const { return head_; }

private:
    void receive(std::size_t received) {
        if (!have_head_ && !read_head(received)) return;
        std::string_view rest = wire_.substr(at_, received - at_);
        if (head_.body == framing::chunked) {
            read_chunks(rest);
            return;
        }
        const auto want = static_cast<std::size_t>(head_.content_length) - result_.body.size();
        const std::string_view piece = rest.substr(0, want);
        result_.body.append(piece);
        at_ += piece.size();
        if (piece.size() == want) result_.status = 0;
    }

    bool read_head(std::size_t received) {
        const parsed p = parse_request_head(wire_.substr(0, received), scanned_, limits_, head_);
        if (p.state == progress::bad) {
            result_.status = p.why.status;
            result_.reason = p.why.reason;
        }
        if (p.state != progress::done) return false;
        have_head_ = true;
        at_ = p.consumed;
        result_.head = head_.method + ' ' + head_.target + ' ' + head_.host + ' ' +
                       std::to_string(static_cast<int>(head_.body)) + (head_.keep_alive ? " keep" : " close");
        return true;
    }

    void read_chunks(std::string_view rest) {
        while (true) {
            const auto s = decoder_.feed(rest);
            rest.remove_prefix(s.consumed);
            at_ += s.consumed;
            result_.body.append(s.data);
            if (s.state == progress::done) result_.status = 0;
            if (s.state == progress::bad) {
                result_ = {400, std::string{s.reason}, {}, {}, 0};
            }
            if (s.state != progress::need_more || rest.empty()) return;
        }
    }

    std::string_view wire_;
    head_limits limits_;
    request_head head_;
    chunked_decoder decoder_;
    outcome result_{-1, {}, {}, {}, 0};
    std::size_t scanned_ = 0;
    std::size_t at_ = 0;
    bool have_head_ = false;
};

inline outcome play_whole(std::string_view wire, head_limits limits = {}) {
    return request_driver{wire, limits}.play({wire.size()});
}

inline outcome play_split(std::string_view wire, std::size_t at, head_limits limits = {}) {
    return request_driver{wire, limits}.play({at, wire.size()});
}

inline outcome play_bytewise(std::string_view wire, head_limits limits = {}) {
    std::vector<std::size_t> arrivals;
    for (std::size_t n = 1; n <= wire.size(); ++n) arrivals.push_back(n);
    return request_driver{wire, limits}.play(arrivals);
}

}  // namespace sluice::http::test
