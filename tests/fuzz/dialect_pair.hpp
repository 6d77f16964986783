// Any text as a request, an answer, an error and a stream of a dialect that clients and upstreams both speak: nothing
// crashes, what is written is valid, what was written for the same dialect is read again, no stream ends twice.
#pragma once

#include "dialects/dialect.hpp"
#include "dialects/values.hpp"
#include "http/sse_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat::fuzz {

inline void require(bool fact) {
    if (!fact) std::abort();
}

class dialect_pair {
public:
    dialect_pair(const client_dialect& client, const upstream_dialect& upstream)
        : client_(client), upstream_(upstream) {}

    void take(const std::uint8_t* data, std::size_t size) const {
        const auto held = std::make_unique<char[]>(size);  // exactly as long as the text: reading on is found
        std::copy_n(data, size, held.get());
        const std::string_view text{reinterpret_cast<const char*>(held.get()), size};
        request(text);
        whole_answer(text);
        embedding(text);
        an_error(text);
        stream(text);
    }

private:
    static client_call call() {
        client_call c;
        c.model = "m";
        c.request_id = "r";
        c.wants_usage = true;
        return c;
    }

    void request(std::string_view text) const {
        const auto body = json_object::parse(text);
        if (!body) return;
        conversation c;
        if (!client_.read_request(*body, call(), c)) return;
        for (const bool drop : {false, true}) {
            losses lost("fuzz", drop);
            std::string out;
            const auto done = upstream_.write_request(c, {"m"}, lost, out);
            if (!done) {
                require(done.error().kind == error_kind::bad_request);
                continue;
            }
            require(validate_json(out).has_value());
        }
    }

    void whole_answer(std::string_view text) const {
        answer a;
        if (!upstream_.read_answer(text, a)) return;
        std::string out;
        client_.write_answer(a, call(), out);
        require(validate_json(out).has_value());
        answer again;
        require(upstream_.read_answer(out, again).has_value());
    }

    void embedding(std::string_view text) const {
        const embedding_client* const from = client_.embeddings();
        const embedding_upstream* const to = upstream_.embeddings();
        if (from == nullptr || to == nullptr) return;
        embedding_request r;
        const auto body = json_object::parse(text);
        if (body && from->read(*body, call(), r)) {
            losses lost("fuzz", true);
            std::string out;
            if (to->write(r, {"m"}, lost, out)) require(validate_json(out).has_value());
        }
        embedding_answer a;
        if (!to->read(text, a)) return;
        for (const bool base64 : {false, true}) {
            embedding_request asked;
            asked.base64 = base64;
            asked.single = true;
            std::string out;
            from->write(a, asked, call(), out);
            require(validate_json(out).has_value());
        }
    }

    void an_error(std::string_view text) const {
        std::string out;
        client_.write_error(upstream_.read_error(500, text), out);
        require(validate_json(out).has_value());
    }

    // Each line is the data of an event.
    void stream(std::string_view text) const {
        const auto reader = upstream_.read_stream();
        const auto writer = client_.write_stream(call());
        std::string out;
        std::vector<stream_step> steps;
        bool over = false;
        while (!text.empty()) {
            const std::string_view line = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(line.size() + 1, text.size()));
            const auto held = std::make_unique<std::string>(line);
            steps.clear();
            const auto done = reader->read("", *held, steps);
            for (const stream_step& s : steps) {
                require(!over);
                over = s.what == stream_step::kind::end || s.what == stream_step::kind::failure;
                writer->write(s, out);
            }
            if (!done || over) break;
        }
        if (!over) {
            steps.clear();
            (void)reader->finish(steps);
            for (const stream_step& s : steps) writer->write(s, out);
        }
        http::sse_reader sse(out.size() + 1);
        http::sse_event e;
        sse.feed(out);
        while (sse.next(e)) {
            if (e.has_data && e.data != "[DONE]") require(validate_json(e.data).has_value());
        }
        require(sse.rest().empty());
    }

    const client_dialect& client_;
    const upstream_dialect& upstream_;
};

}  // namespace sluice::chat::fuzz
