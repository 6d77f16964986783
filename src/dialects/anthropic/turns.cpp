#include "dialects/anthropic/turns.hpp"

#include "base/ascii.hpp"
#include "dialects/anthropic/base64.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::anthropic {
namespace {

constexpr std::string_view image_types[] = {"image/jpeg", "image/png", "image/gif", "image/webp"};

// Nothing but white space, which Anthropic refuses as the text of a block.
bool blank(json_chars chars) {
    for (std::size_t i = 0; i < chars.size(); ++i) {
        if (chars[i] == ' ') continue;
        if (chars[i] != '\\' || i + 1 == chars.size()) return false;
        const char escaped = chars[++i];
        if (escaped != 'n' && escaped != 't' && escaped != 'r') return false;
    }
    return true;
}

bool id_char(char c) {
    return ascii::is_alpha(c) || ascii::is_digit(c) || c == '_' || c == '-';
}

// Other characters become '_', in the call and in its result alike.
json fit_id(json id, text_arena& arena) {
    const json_chars chars = chars_of(id);
    if (!chars.empty() && std::all_of(chars.begin(), chars.end(), id_char)) return id;
    std::string fitted = decode(id);
    for (char& c : fitted) {
        if (!id_char(c)) c = '_';
    }
    return quote(fitted.empty() ? "_" : fitted, arena);
}

bool is_image_type(std::string_view mime) {
    return mime == "image/jpg" ||
           std::find(std::begin(image_types), std::end(image_types), mime) != std::end(image_types);
}

template <class Part>
bool holds(const block& b) {
    return std::holds_alternative<Part>(b.from->value);
}

// Blocks that hold a Part first, otherwise in the order in which they were.
template <class Part>
void move_to_front(std::vector<block>& blocks) {
    std::vector<block> ordered;
    ordered.reserve(blocks.size());
    for (const bool first : {true, false}) {
        for (block& b : blocks) {
            if (holds<Part>(b) == first) ordered.push_back(std::move(b));
        }
    }
    blocks = std::move(ordered);
}

// One run over a conversation.
class turn_maker {
public:
    turn_maker(const conversation& c, const variant& v, losses& lost, text_arena& arena)
        : c_(c), v_(v), lost_(lost), arena_(arena), native_(c.dialect == dialect_name) {}

    result<turns> run() {
        for (message_ = 0; message_ < c_.messages.size(); ++message_) {
            const auto done = take(c_.messages[message_]);
            if (!done) return done.error();
        }
        for (turn& t : out_.rest) order(t);
        return std::move(out_);
    }

private:
    result<void> take(const message& m);
    result<void> take_blocks(const message& m, std::vector<block>& out);
    // Nothing: the part is left out.
    result<std::optional<block>> select(const part& p, role who);
    result<std::optional<block>> select_text(const part& p, json text);
    result<std::optional<block>> select_media(const part& p, role who);
    result<std::optional<block>> select_document(const part& p, const media_part& m);
    result<std::optional<block>> select_call(const part& p, const tool_call& call);
    result<std::optional<block>> select_result(const part& p, const tool_result& r);
    result<std::optional<block>> select_reasoning(const part& p, const reasoning_part& r);
    result<std::optional<block>> refuse(std::string_view what) {
        const auto refused = lost_.feature(here(), what);
        if (!refused) return refused.error();
        return std::optional<block>{};
    }
    json id_without_call(const tool_result& r);
    void order(turn& t) const;
    std::string here() const { return place_of(message_, part_); }

    // A call that came without an id, and the one that it gets.
    struct made_id {
        json name, id;
        bool answered = false;
    };

    const conversation& c_;
    const variant& v_;
    losses& lost_;
    text_arena& arena_;
    const bool native_;  // the client speaks this dialect
    std::size_t message_ = 0, part_ = 0;
    std::vector<made_id> made_;
    turns out_;
};

result<void> turn_maker::take(const message& m) {
    if (!m.name.empty()) lost_.hint(place_of(message_) + ".name");
    if (!native_) lost_.hints(m.extras, place_of(message_) + ".");
    std::vector<block> blocks;
    const auto taken = take_blocks(m, blocks);
    if (!taken) return taken.error();
    if (blocks.empty()) return {};
    const bool of_system = m.who == role::system || m.who == role::developer;
    if (of_system && (out_.rest.empty() || !native_)) {
        if (!out_.rest.empty()) lost_.hint(place_of(message_) + ".role");
        std::move(blocks.begin(), blocks.end(), std::back_inserter(out_.system));
        return {};
    }
    const role who = of_system ? role::system : m.who;
    const extra_fields* extras = native_ && !m.extras.empty() ? &m.extras : nullptr;
    if (out_.rest.empty() || out_.rest.back().who != who || extras != nullptr || out_.rest.back().extras != nullptr)
        out_.rest.push_back({who, {}, extras});
    auto& into = out_.rest.back().blocks;
    std::move(blocks.begin(), blocks.end(), std::back_inserter(into));
    return {};
}

result<void> turn_maker::take_blocks(const message& m, std::vector<block>& out) {
    out.reserve(m.content.size());
    for (part_ = 0; part_ < m.content.size(); ++part_) {
        const part& p = m.content[part_];
        auto selected = select(p, m.who);
        if (!selected) return selected.error();
        if (!*selected) continue;
        if (!native_) lost_.hints(p.extras, here() + ".");
        out.push_back(std::move(**selected));
    }
    return {};
}

result<std::optional<block>> turn_maker::select(const part& p, role who) {
    if (const auto* text = std::get_if<text_part>(&p.value)) {
        if (!text->citations.empty() && text->from != maker_name) lost_.hint(here() + ".citations");
        return select_text(p, text->text);
    }
    if (const auto* refusal = std::get_if<refusal_part>(&p.value)) return select_text(p, refusal->text);
    if (std::holds_alternative<media_part>(p.value)) return select_media(p, who);
    if (const auto* call = std::get_if<tool_call>(&p.value)) return select_call(p, *call);
    if (const auto* answer = std::get_if<tool_result>(&p.value)) return select_result(p, *answer);
    if (const auto* thinking = std::get_if<reasoning_part>(&p.value)) return select_reasoning(p, *thinking);
    const auto& native = std::get<native_part>(p.value);
    if (native.dialect == dialect_name) return std::optional<block>{block{&p}};
    return refuse("an item of type " + std::string(native.type));
}

result<std::optional<block>> turn_maker::select_text(const part& p, json text) {
    if (is_empty_string(text) || text.empty()) return std::optional<block>{};
    if (blank(chars_of(text))) {
        lost_.hint(here());
        return std::optional<block>{};
    }
    return std::optional<block>{block{&p}};
}

result<std::optional<block>> turn_maker::select_media(const part& p, role who) {
    const auto& m = std::get<media_part>(p.value);
    if (m.what == media_kind::audio) return refuse("audio");
    if (m.what == media_kind::video) return refuse("video");
    const bool image = m.what == media_kind::image;
    if (who == role::system || who == role::developer) return refuse("anything but text in a system message");
    if (who == role::assistant) return refuse(image ? "an image of an assistant" : "a document of an assistant");
    if (!m.url.empty() && !v_.urls_and_files) return refuse(image ? "an image by URL" : "a document by URL");
    if (!m.file_id.empty() && (!v_.urls_and_files || m.from != maker_name))
        return refuse("a file that was uploaded to another provider");
    if (!m.detail.empty() && !says(m.detail, "auto")) lost_.hint(here() + ".detail");
    if (!image) return select_document(p, m);
    if (!m.base64.empty() && !is_image_type(m.mime)) return refuse("an image of type " + std::string(m.mime));
    return std::optional<block>{block{&p}};
}

// PDF and plain text. Text that came in base64 (as OpenAI's clients send files) is written as what it says.
result<std::optional<block>> turn_maker::select_document(const part& p, const media_part& m) {
    block b{&p};
    if (m.base64.empty() || m.mime == "application/pdf") return std::optional<block>{std::move(b)};
    std::string text;
    if (!m.mime.starts_with("text/") && m.mime != "application/json")
        return refuse("a document of type " + std::string(m.mime));
    if (!decode_base64(m.base64, text)) {
        return error{error_kind::bad_request, "The document " + here() + " is not base64.", here()};
    }
    b.text = quote(text, arena_);
    return std::optional<block>{std::move(b)};
}

result<std::optional<block>> turn_maker::select_call(const part& p, const tool_call& call) {
    if (call.what == tool_call::kind::custom) return refuse("a call of a custom tool");
    auto input = arguments_object(call, arena_);
    if (!input) {
        error e = input.error();
        e.param = here();
        return e;
    }
    block b{&p, {}, *input};
    if (call.id.empty()) {
        b.id = quote("call_" + std::to_string(message_) + "_" + std::to_string(part_), arena_);
        made_.push_back({call.name, b.id});
    } else {
        b.id = fit_id(call.id, arena_);
    }
    return std::optional<block>{std::move(b)};
}

// The first call of that name that has no answer yet.
json turn_maker::id_without_call(const tool_result& r) {
    for (made_id& made : made_) {
        if (made.answered || (!r.name.empty() && made.name != r.name)) continue;
        made.answered = true;
        return made.id;
    }
    return {};
}

result<std::optional<block>> turn_maker::select_result(const part& p, const tool_result& r) {
    if (r.what == tool_call::kind::custom) return refuse("the result of a custom tool");
    block b{&p};
    b.id = r.call_id.empty() ? id_without_call(r) : fit_id(r.call_id, arena_);
    if (b.id.empty()) return error{error_kind::bad_request, "The result " + here() + " answers no call.", here()};
    if (!r.structured.empty()) b.text = quote(r.structured, arena_);
    for (const part& inner : r.content) {
        auto selected = select(inner, role::user);
        if (!selected) return selected.error();
        if (*selected) b.content.push_back(std::move(**selected));
    }
    return std::optional<block>{std::move(b)};
}

// Anthropic takes its own reasoning only, and that with the proof.
result<std::optional<block>> turn_maker::select_reasoning(const part& p, const reasoning_part& r) {
    if (r.from == maker_name && !(r.signature.empty() && r.encrypted.empty())) return std::optional<block>{block{&p}};
    lost_.hint(here());
    return std::optional<block>{};
}

// Results stand first in a turn of the user, thinking in one of the assistant: there a client of this dialect sends
// what the API made, in which thinking may also stand between calls, and nothing is moved.
void turn_maker::order(turn& t) const {
    if (t.who == role::user) {
        move_to_front<tool_result>(t.blocks);
    } else if (t.who == role::assistant && !native_ && !holds<reasoning_part>(t.blocks.front())) {
        move_to_front<reasoning_part>(t.blocks);
    }
}

}  // namespace

result<turns> make_turns(const conversation& c, const variant& v, losses& lost, text_arena& arena) {
    return turn_maker(c, v, lost, arena).run();
}

}  // namespace sluice::chat::anthropic
