#include "dialects/gemini/content_writer.hpp"

#include "dialects/gemini/gemini.hpp"
#include "dialects/gemini/signatures.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::gemini {
namespace {

using http::json_writer;

template <class T>
const T* as(const part& p) {
    return std::get_if<T>(&p.value);
}

std::string quoted(std::string_view chars) {
    return std::string(1, '"').append(chars).append(1, '"');
}

struct extension {
    std::string_view suffix, mime;
};
constexpr extension extensions[] = {
    {".png", "image/png"},   {".jpg", "image/jpeg"},  {".jpeg", "image/jpeg"},     {".webp", "image/webp"},
    {".gif", "image/gif"},   {".heic", "image/heic"}, {".pdf", "application/pdf"}, {".mp4", "video/mp4"},
    {".webm", "video/webm"}, {".mp3", "audio/mpeg"},  {".wav", "audio/wav"},       {".txt", "text/plain"},
};

std::string_view mime_of_url(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    for (const extension& e : extensions) {
        if (url.ends_with(e.suffix)) return e.mime;
    }
    return {};
}

void write_blob(const media_part& m, json_writer& w) {
    w.key("inlineData").begin_object().key("mimeType").string(m.mime.empty() ? "application/octet-stream" : m.mime);
    w.key("data").raw(quoted(m.base64));
    if (!m.name.empty()) w.key("displayName").raw(m.name);
    w.end_object();
}

void write_uri(const media_part& m, json_writer& w) {
    const std::string_view mime = m.mime.empty() ? mime_of_url(chars_of(m.url)) : m.mime;
    w.key("fileData").begin_object();
    if (!mime.empty()) w.key("mimeType").string(mime);
    w.key("fileUri").raw(m.url).end_object();
}

class turn_writer {
public:
    turn_writer(const conversation& c, std::string_view model, losses& lost, json_writer& w)
        : c_(c), by_level_(thinks_by_level(model)), lost_(lost), w_(w) {}

    void system() {
        bool any = false;
        for (std::size_t i = 0; i < c_.messages.size(); ++i) {
            const message& m = c_.messages[i];
            if (m.who != role::system && m.who != role::developer) continue;
            for (std::size_t j = 0; j < m.content.size(); ++j) {
                const auto* text = as<text_part>(m.content[j]);
                marker(m.content[j], i, j);
                if (text == nullptr || is_empty_string(text->text)) continue;
                if (!any) w_.key("systemInstruction").begin_object().key("parts").begin_array();
                any = true;
                w_.begin_object().key("text").raw(text->text).end_object();
            }
            const bool late =
                std::any_of(c_.messages.begin(), c_.messages.begin() + static_cast<std::ptrdiff_t>(i),
                            [](const message& b) { return b.who == role::user || b.who == role::assistant; });
            if (late) lost_.hint(place_of(i) + ".role");
        }
        if (any) w_.end_array().end_object();
    }

    result<void> contents() {
        w_.key("contents").begin_array();
        for (at_ = 0; at_ < c_.messages.size(); ++at_) {
            const message& m = c_.messages[at_];
            if (m.who == role::system || m.who == role::developer) continue;
            turn_ = m.who;
            signed_call_ = false;
            if (c_.dialect != dialect_name) lost_.hints(m.extras, place_of(at_) + ".");
            if (!m.name.empty()) lost_.hint(place_of(at_) + ".name");
            for (index_ = 0; index_ < m.content.size(); ++index_) {
                if (auto written = write(m, m.content[index_]); !written) return written;
            }
        }
        close_turn();
        w_.end_array();
        return {};
    }

private:
    // Neighbours of one role are one turn: Gemini matches the results of a turn with the calls of the one before.
    void open_part() {
        if (open_ != turn_ || !any_open_) {
            close_turn();
            w_.begin_object()
                .key("role")
                .string(turn_ == role::assistant ? "model" : "user")
                .key("parts")
                .begin_array();
            any_open_ = true;
            open_ = turn_;
        }
        w_.begin_object();
    }
    void close_turn() {
        if (any_open_) w_.end_array().end_object();
        any_open_ = false;
    }
    void close_part(const part& p) {
        if (c_.dialect == dialect_name) {
            for (const extra_field& f : p.extras) w_.key(f.key).raw(f.value);
        } else {
            lost_.hints(p.extras, place_of(at_, index_) + ".");
        }
        marker(p, at_, index_);
        w_.end_object();
    }
    void marker(const part& p, std::size_t message, std::size_t index) {
        if (!p.cache_control.empty()) lost_.hint(place_of(message, index) + ".cache_control");
    }

    result<void> write(const message& m, const part& p) {
        if (const auto* text = as<text_part>(p)) return write_text(m, p, text->text);
        if (const auto* refusal = as<refusal_part>(p)) return write_text(m, p, refusal->text);
        if (const auto* media = as<media_part>(p)) return write_media(m, p, *media);
        if (const auto* call = as<tool_call>(p)) return write_tool_call(p, *call);
        if (const auto* r = as<tool_result>(p)) return write_result(p, *r);
        if (const auto* thought = as<reasoning_part>(p)) return write_thought(p, *thought);
        const auto& native = std::get<native_part>(p.value);
        if (native.dialect != dialect_name) {
            return lost_.feature(place_of(at_, index_),
                                 "what only " + std::string(native.dialect) + " knows: " + std::string(native.type));
        }
        open_part();
        each_member(native.value, [&](std::string_view key, const json_value& v) { w_.key(key).raw(v.raw); });
        w_.end_object();
        return {};
    }

    // A signature of a text comes as a reasoning part behind it.
    json_chars signature_behind(const message& m) const {
        if (index_ + 1 >= m.content.size()) return {};
        const auto* next = as<reasoning_part>(m.content[index_ + 1]);
        return next != nullptr && next->text.empty() && next->from == "gemini" ? next->signature : json_chars{};
    }

    result<void> write_text(const message& m, const part& p, json text) {
        const json_chars signature = signature_behind(m);
        if (is_empty_string(text) && signature.empty()) return {};  // refused there
        open_part();
        w_.key("text").raw(text);
        if (!signature.empty()) {
            w_.key("thoughtSignature").raw(quoted(signature));
            ++index_;
        }
        close_part(p);
        return {};
    }

    result<void> write_media(const message& m, const part& p, const media_part& media) {
        if (!media.file_id.empty())
            return lost_.feature(place_of(at_, index_), "a file that was uploaded to another provider");
        if (!media.text.empty()) {
            if (!media.name.empty()) lost_.hint(place_of(at_, index_) + ".title");
            return write_text(m, p, media.text);
        }
        if (!media.detail.empty()) lost_.hint(place_of(at_, index_) + ".image_url.detail");
        open_part();
        if (media.url.empty()) {
            write_blob(media, w_);
        } else {
            write_uri(media, w_);
        }
        close_part(p);
        return {};
    }

    result<void> write_tool_call(const part& p, const tool_call& call) {
        const std::string at = place_of(at_, index_);
        if (call.what == tool_call::kind::custom) return lost_.feature(at, "a call of a tool that takes free text");
        const auto arguments = arguments_object(call, arena_);
        if (!arguments) return error{error_kind::bad_request, arguments.error().message, at};
        json_chars signature = call.signed_by == "gemini" ? call.signature : json_chars{};
        // What Google documents for histories that another model made: without it, newer models refuse the turn.
        if (signature.empty() && by_level_ && !signed_call_) signature = no_signature;
        signed_call_ = true;
        open_part();
        const bool own = c_.dialect == dialect_name && !chars_of(call.id).starts_with("call_");
        w_.key("functionCall").begin_object();
        if (own) w_.key("id").raw(call.id);
        w_.key("name").raw(call.name).key("args").raw(*arguments).end_object();
        if (!signature.empty()) w_.key("thoughtSignature").raw(quoted(signature));
        close_part(p);
        return {};
    }

    result<void> write_result(const part& p, const tool_result& r) {
        const json name = tool_name_of(c_, r);
        const std::string at = place_of(at_, index_);
        if (name.empty())
            return error{error_kind::bad_request, "No call has the id that `" + at + "` answers.",
                         at + ".tool_call_id"};
        open_part();
        w_.key("functionResponse").begin_object();
        if (c_.dialect == dialect_name && !r.call_id.empty() && !chars_of(r.call_id).starts_with("call_"))
            w_.key("id").raw(r.call_id);
        w_.key("name").raw(name).key("response");
        if (r.structured.empty()) {
            w_.begin_object().key(r.is_error ? "error" : "output").raw(text_of(r.content, arena_)).end_object();
        } else if (r.is_error) {
            w_.begin_object().key("error").raw(r.structured).end_object();
        } else {
            w_.raw(r.structured);
        }
        auto written = write_result_media(r, at);
        w_.end_object();
        close_part(p);
        return written;
    }

    result<void> write_result_media(const tool_result& r, const std::string& at) {
        bool any = false;
        for (const part& p : r.content) {
            if (as<text_part>(p) != nullptr) continue;
            const auto* m = as<media_part>(p);
            if (m == nullptr || m->base64.empty()) {
                auto lost = lost_.feature(at, "this part of a tool's result");
                if (!lost) return lost;
                continue;
            }
            if (!any) w_.key("parts").begin_array();
            any = true;
            w_.begin_object();
            write_blob(*m, w_);
            w_.end_object();
        }
        if (any) w_.end_array();
        return {};
    }

    result<void> write_thought(const part& p, const reasoning_part& r) {
        const bool own = r.from == "gemini" && (!r.signature.empty() || c_.dialect == dialect_name);
        if (!own) {
            lost_.hint(place_of(at_, index_));
            return {};
        }
        open_part();
        w_.key("text").raw(r.text.empty() ? json{R"("")"} : r.text).key("thought").boolean(true);
        if (!r.signature.empty()) w_.key("thoughtSignature").raw(quoted(r.signature));
        close_part(p);
        return {};
    }

    const conversation& c_;
    const bool by_level_;
    losses& lost_;
    json_writer& w_;
    text_arena arena_;
    std::size_t at_ = 0, index_ = 0;  // the part at hand
    role turn_ = role::user, open_ = role::user;
    bool any_open_ = false;
    bool signed_call_ = false;  // the turn's first call was written
};

}  // namespace

result<void> write_turns(const conversation& c, std::string_view model, losses& lost, json_writer& w) {
    turn_writer writer(c, model, lost, w);
    writer.system();
    return writer.contents();
}

void write_call(json id, json name, json arguments, json_chars signature, json_writer& w) {
    w.begin_object().key("functionCall").begin_object();
    if (!id.empty() && !is_empty_string(id)) w.key("id").raw(id);
    w.key("name").raw(name).key("args").raw(arguments).end_object();
    if (!signature.empty()) w.key("thoughtSignature").raw(quoted(signature));
    w.end_object();
}

void write_answer_part(const part& p, text_arena& arena, json_writer& w) {
    if (const auto* text = as<text_part>(p)) {
        w.begin_object().key("text").raw(text->text).end_object();
    } else if (const auto* refusal = as<refusal_part>(p)) {
        w.begin_object().key("text").raw(refusal->text).end_object();
    } else if (const auto* r = as<reasoning_part>(p)) {
        w.begin_object().key("text").raw(r->text.empty() ? json{R"("")"} : r->text).key("thought").boolean(true);
        const json_chars secret = wrap_signature(r->signature.empty() ? r->encrypted : r->signature, r->from, arena);
        if (!secret.empty()) w.key("thoughtSignature").raw(quoted(secret));
        w.end_object();
    } else if (const auto* call = as<tool_call>(p)) {
        const auto arguments = arguments_object(*call, arena);
        const json_chars signature = wrap_signature(call->signature, call->signed_by, arena);
        write_call(call->id, call->name, arguments ? *arguments : json{"{}"}, signature, w);
    } else if (const auto* m = as<media_part>(p)) {
        w.begin_object();
        if (m->url.empty()) {
            write_blob(*m, w);
        } else {
            write_uri(*m, w);
        }
        w.end_object();
    } else if (const auto* native = as<native_part>(p); native != nullptr && native->dialect == dialect_name) {
        w.raw(native->value);
    }
}

}  // namespace sluice::chat::gemini
