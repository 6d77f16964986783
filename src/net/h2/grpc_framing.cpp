#include "net/h2/grpc_framing.hpp"

#include "http/path.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::net {
namespace {

constexpr std::size_t status_message_max = 1024;

}  // namespace

std::string frame_message(std::string_view message) {
    std::string out(5, '\0');
    const auto n = static_cast<std::uint32_t>(message.size());
    for (int i = 0; i < 4; ++i) out[static_cast<std::size_t>(i) + 1] = static_cast<char>(n >> (24 - 8 * i) & 0xff);
    out.append(message);
    return out;
}

std::optional<grpc_status> grpc_reader::add(std::string_view bytes) {
    while (!bytes.empty()) {
        if (partial_.size() < prefix_bytes) {
            const std::size_t n = std::min(prefix_bytes - partial_.size(), bytes.size());
            partial_.append(bytes.substr(0, n));
            bytes.remove_prefix(n);
            if (partial_.size() < prefix_bytes) break;
        }
        if (partial_[0] != 0) return grpc_status{grpc_unimplemented, "the message is compressed"};
        std::size_t size = 0;
        for (std::size_t i = 1; i < prefix_bytes; ++i) size = size << 8 | static_cast<unsigned char>(partial_[i]);
        if (size > message_bytes_max_) return grpc_status{grpc_exhausted, "the message is too large"};
        const std::size_t n = std::min(prefix_bytes + size - partial_.size(), bytes.size());
        partial_.append(bytes.substr(0, n));
        bytes.remove_prefix(n);
        if (partial_.size() < prefix_bytes + size) break;
        ready_bytes_ += size;
        ready_.push_back(partial_.substr(prefix_bytes));
        partial_.clear();
    }
    return std::nullopt;
}

std::optional<std::string> grpc_reader::next() {
    if (ready_.empty()) return std::nullopt;
    std::string first = std::move(ready_.front());
    ready_.pop_front();
    ready_bytes_ -= first.size();
    return first;
}

std::optional<grpc_status> status_of_trailers(const header_list& fields) {
    const auto code = fields.find("grpc-status");
    if (!code) return std::nullopt;
    grpc_status s;
    const auto [end, ec] = std::from_chars(code->data(), code->data() + code->size(), s.code);
    if (ec != std::errc{} || end != code->data() + code->size() || s.code < 0) s.code = grpc_unknown;
    if (const auto message = fields.find("grpc-message")) {
        const auto decoded = http::percent_decode(message->substr(0, status_message_max));
        s.message = decoded ? *decoded : std::string(message->substr(0, status_message_max));
    }
    return s;
}

std::optional<grpc_status> status_of_headers(int http_status, const header_list& fields) {
    const auto type = fields.find("content-type").value_or("");
    const bool grpc = type.starts_with("application/grpc") && (type.size() == 16 || type[16] == '+' || type[16] == ';');
    if (http_status == 200 && grpc) return std::nullopt;
    if (const auto said = status_of_trailers(fields); said && said->code != grpc_ok) return said;
    const int code = http_status == 404                                                 ? grpc_unimplemented
                     : http_status == 429 || (http_status >= 502 && http_status <= 504) ? grpc_unavailable
                                                                                        : grpc_unknown;
    return grpc_status{code, "HTTP status " + std::to_string(http_status)};
}

}  // namespace sluice::net
