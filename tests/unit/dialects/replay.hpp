// Reads streams for tests: what became of each event, as text, wherever the stream is cut.
#pragma once

#include "dialects/dialect.hpp"
#include "http/sse_reader.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::chat::testing {

struct reading {
    std::vector<std::string> steps;
    std::string error;  // of read() or finish()
    int repairs = 0;
    bool operator==(const reading&) const = default;
};

// Reads events through `reader`, each fed from a buffer of its own that dies before the next.
class replay {
public:
    using step_text = std::string (*)(const stream_step&);
    replay(std::unique_ptr<stream_reader> reader, step_text text) : reader_(std::move(reader)), text_(text) {}

    void event(std::string_view name, std::string_view data) {
        if (!r_.error.empty()) return;
        std::vector<stream_step> steps;
        const auto held = std::make_unique<std::string>(data);
        const auto done = reader_->read(name, *held, steps);
        take(done, steps);
    }
    // A stream of server-sent events in two pieces.
    void sse(std::string_view stream, std::size_t cut) {
        http::sse_reader sse;
        http::sse_event e;
        for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
            const auto held = std::make_unique<std::string>(piece);
            sse.feed(*held);
            while (sse.next(e)) {
                if (e.has_data) event(e.name, e.data);
            }
        }
    }
    reading finish() {
        std::vector<stream_step> steps;
        if (r_.error.empty()) {
            const auto done = reader_->finish(steps);
            take(done, steps);
        }
        r_.repairs = reader_->repairs();
        return r_;
    }

private:
    void take(const result<void>& done, const std::vector<stream_step>& steps) {
        for (const stream_step& s : steps) r_.steps.push_back(text_(s));
        if (!done) r_.error = describe(done.error());
    }
    std::unique_ptr<stream_reader> reader_;
    step_text text_;
    reading r_;
};

}  // namespace sluice::chat::testing
