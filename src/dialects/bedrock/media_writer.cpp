// Images, documents, videos and sound in Converse's form.
#include "base/ascii.hpp"
#include "dialects/bedrock/message_writer.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <array>

namespace sluice::chat::bedrock {

namespace {

struct format_of_mime {
    media_kind what;
    std::string_view mime, format;
};

constexpr std::array formats = std::to_array<format_of_mime>({
    {media_kind::image, "image/png", "png"},
    {media_kind::image, "image/jpeg", "jpeg"},
    {media_kind::image, "image/jpg", "jpeg"},
    {media_kind::image, "image/gif", "gif"},
    {media_kind::image, "image/webp", "webp"},
    {media_kind::document, "application/pdf", "pdf"},
    {media_kind::document, "text/csv", "csv"},
    {media_kind::document, "application/msword", "doc"},
    {media_kind::document, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {media_kind::document, "application/vnd.ms-excel", "xls"},
    {media_kind::document, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {media_kind::document, "text/html", "html"},
    {media_kind::document, "text/plain", "txt"},
    {media_kind::document, "text/markdown", "md"},
    {media_kind::video, "video/mp4", "mp4"},
    {media_kind::video, "video/quicktime", "mov"},
    {media_kind::video, "video/x-matroska", "mkv"},
    {media_kind::video, "video/webm", "webm"},
    {media_kind::video, "video/x-flv", "flv"},
    {media_kind::video, "video/mpeg", "mpeg"},
    {media_kind::video, "video/x-ms-wmv", "wmv"},
    {media_kind::video, "video/3gpp", "three_gp"},
    {media_kind::audio, "audio/mpeg", "mp3"},
    {media_kind::audio, "audio/mp3", "mp3"},
    {media_kind::audio, "audio/wav", "wav"},
    {media_kind::audio, "audio/x-wav", "wav"},
    {media_kind::audio, "audio/opus", "opus"},
    {media_kind::audio, "audio/aac", "aac"},
    {media_kind::audio, "audio/flac", "flac"},
    {media_kind::audio, "audio/mp4", "mp4"},
    {media_kind::audio, "audio/ogg", "ogg"},
    {media_kind::audio, "audio/webm", "webm"},
    {media_kind::audio, "audio/pcm", "pcm"},
});

// Bedrock's name of the format; empty: it takes no such thing.
std::string_view format_of(const media_part& m) {
    if (!m.text.empty()) return "txt";
    const auto* const found = std::find_if(formats.begin(), formats.end(),
                                           [&](const auto& f) { return f.what == m.what && f.mime == m.mime; });
    return found == formats.end() ? std::string_view{} : found->format;
}

struct kind_words {
    std::string_view key, phrase;
};
// In the order of media_kind.
constexpr kind_words kinds[] = {
    {"image", "an image"}, {"audio", "audio"}, {"document", "a document"}, {"video", "a video"}};

bool is_s3(json url) {
    return chars_of(url).starts_with("s3:");
}

}  // namespace

result<bool> message_writer::write_media(role who, const part& p, const place& at) {
    const std::string problem = media_problem(std::get<media_part>(p.value));
    if (!problem.empty()) return refuse(at, problem);
    open_turn(who);
    write_media_block(p, at);
    return true;
}

std::string message_writer::media_problem(const media_part& m) const {
    const std::string kind(kinds[static_cast<std::size_t>(m.what)].phrase);
    if (!m.url.empty() && !is_s3(m.url)) return kind + " by URL";
    if (!m.file_id.empty()) return "a file that was uploaded to a provider";
    if (!format_of(m).empty()) return {};
    return kind + (m.mime.empty() ? " without a type" : " of the type " + std::string(m.mime));
}

// Anthropic's fields of a document, which Bedrock has too: how it is to be cited, and what is to be known of it.
static bool is_of_document(const part& p, const extra_field& f) {
    const auto* media = std::get_if<media_part>(&p.value);
    if (media == nullptr || media->what != media_kind::document) return false;
    return (f.key == "citations" && type_of(f.value) == json_type::object) ||
           (f.key == "context" && is_string(f.value) && !is_empty_string(f.value));
}

void message_writer::report_extras(const part& p, const std::string& where) {
    for (const extra_field& f : p.extras) {
        if (!is_of_document(p, f)) lost_.hint(where + std::string(f.key));
    }
}

void message_writer::write_media_block(const part& p, const place& at) {
    const auto& m = std::get<media_part>(p.value);
    if (!m.detail.empty() && !says(m.detail, "auto")) lost_.hint(at.text() + ".detail");
    w_.begin_object().key(kinds[static_cast<std::size_t>(m.what)].key).begin_object();
    w_.key("format").string(format_of(m));
    if (m.what == media_kind::document) w_.key("name").string(document_name(m.name));
    write_source(m);
    for (const extra_field& f : p.extras) {
        if (is_of_document(p, f)) w_.key(f.key).raw(f.value);
    }
    w_.end_object().end_object();
}

void message_writer::write_source(const media_part& m) {
    w_.key("source").begin_object();
    if (!m.text.empty()) {
        w_.key("text").raw(m.text);
    } else if (!m.url.empty()) {
        w_.key("s3Location").begin_object().key("uri").raw(m.url).end_object();
    } else {
        w_.key("bytes").raw(enclose(m.base64, arena_));
    }
    w_.end_object();
}

// Letters, digits, single spaces, hyphens, parentheses and square brackets, at most 200, and no two documents of one
// name. What does not fit becomes a hyphen.
std::string message_writer::document_name(json name) {
    constexpr std::size_t name_bytes_max = 190;  // and room for a number
    std::string out;
    for (const char c : decode(name)) {
        const bool fits =
            ascii::is_digit(c) || ascii::is_alpha(c) || std::string_view(" -()[]").find(c) != std::string_view::npos;
        const char put = fits ? c : '-';
        if (put != c && !out.empty() && out.back() == '-') continue;
        if (put == ' ' && !out.empty() && out.back() == ' ') continue;
        if (out.size() < name_bytes_max) out += put;
    }
    if (out.find_first_not_of(" -") == std::string::npos) out = "document";
    ++documents_;
    if (!document_names_.insert(out).second) {
        out += "-" + std::to_string(documents_);
        document_names_.insert(out);
    }
    return out;
}

}  // namespace sluice::chat::bedrock
