// Citations: Bedrock's form is Anthropic's with other names.
#include "dialects/bedrock/answers.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <array>

namespace sluice::chat::bedrock {

namespace {

// {"documentChar":{"documentIndex":0,"start":1,"end":2}} is {"type":"char_location","document_index":0,...}.
struct location_names {
    std::string_view theirs, type, index, start, end;
};
constexpr std::array locations = std::to_array<location_names>({
    {"documentChar", "char_location", "document_index", "start_char_index", "end_char_index"},
    {"documentPage", "page_location", "document_index", "start_page_number", "end_page_number"},
    {"documentChunk", "content_block_location", "document_index", "start_block_index", "end_block_index"},
    {"searchResultLocation", "search_result_location", "search_result_index", "start_block_index", "end_block_index"},
});

void write_location(http::json_writer& w, std::string_view name, json location) {
    if (name == "web") {
        w.key("type").string("web_search_result_location");
        each_member(location, [&](std::string_view key, const json_value& v) {
            if (key == "url") w.key("url").raw(v.raw);
        });
    }
    for (const location_names& l : locations) {
        if (l.theirs != name) continue;
        w.key("type").string(l.type);
        each_member(location, [&](std::string_view key, const json_value& v) {
            if (key == "documentIndex" || key == "searchResultIndex") w.key(l.index).raw(v.raw);
            if (key == "start") w.key(l.start).raw(v.raw);
            if (key == "end") w.key(l.end).raw(v.raw);
        });
    }
}

void write_citation(http::json_writer& w, json citation) {
    std::string_view kind;
    json location, title, source, cited;
    each_member(citation, [&](std::string_view key, const json_value& v) {
        if (key == "title") title = v.raw;
        if (key == "source") source = v.raw;
        if (key == "sourceContent") cited = v.raw;
        if (key != "location") return;
        each_member(v.raw, [&](std::string_view name, const json_value& value) {
            kind = name;
            location = value.raw;
        });
    });
    w.begin_object();
    write_location(w, kind, location);
    std::string text = "\"";
    each_element(cited, [&](const json_value& piece) {
        each_member(piece.raw, [&](std::string_view key, const json_value& v) {
            if (key == "text") text += chars_of(v.raw);
        });
    });
    w.key("cited_text").raw(text + '"');
    const bool document = kind.starts_with("document");
    if (is_string(title)) w.key(document ? "document_title" : "title").raw(title);
    if (is_string(source) && !document) w.key("source").raw(source);
    w.end_object();
}

}  // namespace

json anthropic_citations(json citations, text_arena& arena) {
    std::string out;
    http::json_writer w(out);
    w.begin_array();
    each_element(citations, [&](const json_value& v) {
        if (v.type == json_type::object) write_citation(w, v.raw);
    });
    w.end_array();
    return out == "[]" ? json{} : arena.keep(std::move(out));
}

}  // namespace sluice::chat::bedrock
