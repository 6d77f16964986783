// Streams as Gemini sends them to clients that do not ask for alt=sse: one JSON array, an element per chunk.
#include "dialects/gemini/gemini.hpp"

namespace sluice::chat::gemini {
namespace {

constexpr std::string_view data_field = "data: ", event_end = "\n\n";

// Takes the events of the other form out of their frames: each holds its JSON on one line.
class array_writer final : public stream_writer {
public:
    explicit array_writer(const client_call& call) : events_(make_stream_writer(call)) {}

    void write(const stream_step& step, std::string& out) override {
        if (closed_) return;
        buffer_.clear();
        events_->write(step, buffer_);
        for (std::string_view left = buffer_; !left.empty();) {
            const auto end = left.find(event_end);
            const std::string_view event = left.substr(0, end);
            left = end == std::string_view::npos ? std::string_view{} : left.substr(end + event_end.size());
            // An array has no place for the comments that keep a stream of events alive.
            if (event.starts_with(data_field)) element(event.substr(data_field.size()), out);
        }
        if (step.what == stream_step::kind::end || step.what == stream_step::kind::failure) close(out);
    }

private:
    void element(std::string_view chunk, std::string& out) {
        out += open_ ? ",\r\n" : "[";
        out += chunk;
        open_ = true;
    }
    void close(std::string& out) {
        out += open_ ? "\n]" : "[]";
        closed_ = true;
    }

    const std::unique_ptr<stream_writer> events_;
    std::string buffer_;
    bool open_ = false, closed_ = false;
};

}  // namespace

std::unique_ptr<stream_writer> make_array_stream_writer(const client_call& call) {
    return std::make_unique<array_writer>(call);
}

}  // namespace sluice::chat::gemini
