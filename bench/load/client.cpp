#include "client.hpp"

namespace sluice::bench {

client::client(poller& set, std::uint16_t port, std::uint64_t tag) : socket_(connect_to(port)) {
    reset_on_close(socket_.get());
    set.add(socket_.get(), tag);
}

bool client::send(std::string_view request) {
    unsent_ = request;
    return flush();
}

bool client::flush() {
    while (!unsent_.empty()) {
        const transfer sent = write_some(socket_.get(), unsent_);
        if (sent.closed) return false;
        if (sent.would_block) return true;
        unsent_.remove_prefix(sent.bytes);
    }
    return true;
}

progress client::end_of_answer(std::string_view rest) {
    if (!rest.empty()) return fail("bytes after the end of the answer");
    if (!unsent_.empty()) return fail("an answer before the request was read");
    status_ = reader_.status();
    body_bytes_ = reader_.body_bytes();
    reader_.reset();
    return progress::answered;
}

progress client::fail(const char* what) {
    error_ = what;
    return progress::failed;
}

}  // namespace sluice::bench
