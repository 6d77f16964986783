#include "http/sse_reader.hpp"

#include <algorithm>
#include <iterator>

namespace sluice::http {

bool sse_reader::next(sse_event& e) {
    if (held_is_event_ || !joined_.empty()) release();
    if (too_large_) return false;
    if (piece_.empty()) return false;
    const std::size_t taken = boundary_.take_block(piece_);
    const std::size_t size = std::min(taken, piece_.size());
    if (held_.size() + size > max_) {
        too_large_ = true;
        piece_ = {};
        release();
        return false;
    }
    if (taken == sse_boundary::npos) {
        held_.append(piece_);
        piece_ = {};
        return false;
    }
    e = {};
    if (held_.empty()) {
        e.raw = piece_.substr(0, taken);
    } else {
        held_.append(piece_.substr(0, taken));
        held_is_event_ = true;
        e.raw = held_;
    }
    piece_.remove_prefix(taken);
    read_fields(e.raw, e);
    return true;
}

// Gives memory back: thousands of streams wait between two events.
void sse_reader::release() {
    if (held_is_event_ || too_large_) {
        std::string{}.swap(held_);
        held_is_event_ = false;
    }
    std::string{}.swap(joined_);
}

void sse_reader::read_fields(std::string_view block, sse_event& e) {
    if (first_) {
        first_ = false;
        if (block.starts_with("\xef\xbb\xbf")) block.remove_prefix(3);
    }
    const char* p = block.data();
    const char* const end = p + block.size();
    while (p != end) {
        const char* const stop = find_line_end(p, end);
        const std::string_view line{p, static_cast<std::size_t>(stop - p)};
        // CR and LF one after the other at most look like an empty line more, which has no field either.
        p = stop == end ? end : stop + 1;
        const std::size_t colon = line.find(':');
        const std::string_view field = line.substr(0, colon);
        std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (field == "data") {
            if (!e.has_data) {
                e.data = value;
                e.has_data = true;
            } else {
                if (joined_.empty()) joined_ = e.data;
                joined_.append("\n").append(value);
                e.data = joined_;
            }
        } else if (field == "event") {
            e.name = value;
        } else if (field == "id" && value.find('\0') == std::string_view::npos) {
            e.id = value;
        }
    }
}

std::size_t sse_reader::held_bytes() const {
    const std::size_t inside_object = std::string{}.capacity();
    const auto heap = [&](const std::string& s) { return s.capacity() > inside_object ? s.capacity() : 0; };
    return heap(held_) + heap(joined_);
}

void append_sse(std::string& out, std::string_view name, std::string_view data) {
    if (!name.empty()) {
        out += "event: ";
        std::copy_if(name.begin(), name.end(), std::back_inserter(out), [](char c) { return c != '\r' && c != '\n'; });
        out += '\n';
    }
    const char* p = data.data();
    const char* const end = p + data.size();
    while (true) {
        const char* const stop = find_line_end(p, end);
        out.append("data: ").append(p, stop).append("\n");
        if (stop == end) break;
        p = stop + (end - stop > 1 && stop[0] == '\r' && stop[1] == '\n' ? 2 : 1);
    }
    out += '\n';
}

}  // namespace sluice::http
