#include "sim/plain_api.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sim/json_out.hpp"
#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr std::size_t dimensions_default = 256, dimensions_max = 8192;

refusal missing(const std::string& param) {
    refusal r;
    r.message = "Missing required parameter: '" + param + "'.";
    r.code = "missing_required_parameter";
    r.param = param;
    return r;
}

std::string_view text_of(const element& e, std::string_view key, std::string_view otherwise = {}) {
    std::string_view v = otherwise;
    (void)e[key].get(v);
    return v;
}

// A string, a list of strings, a list of tokens, or a list of such lists: one text per input.
std::vector<std::string> inputs(const element& e) {
    std::vector<std::string> out;
    std::string_view text;
    array list;
    if (e.get(text) == simdjson::SUCCESS) {
        out.emplace_back(text);
    } else if (e.get(list) == simdjson::SUCCESS) {
        if (list.size() > 0 && (*list.begin()).is_int64()) return {simdjson::minify(e)};
        for (const element item : list) {
            if (item.get(text) == simdjson::SUCCESS) {
                out.emplace_back(text);
            } else {
                out.push_back(simdjson::minify(item));
            }
        }
    }
    return out;
}

// The smallest valid PNG: one pixel.
constexpr std::string_view tiny_png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

std::string_view parameter_of(std::string_view header, std::string_view name) {
    const auto at = header.find(std::string(name) + "=");
    if (at == std::string_view::npos) return {};
    auto value = header.substr(at + name.size() + 1);
    if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
    return value.substr(0, value.find_first_of("; \r"));
}

}  // namespace

std::vector<float> embed(std::string_view text, std::size_t dimensions) {
    std::vector<float> v(dimensions, 0.0F);
    std::size_t begin = 0;
    do {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        std::uint64_t h = hash_bytes(text.substr(begin, end - begin), 17);
        for (std::size_t i = 0; i < dimensions; ++i) {
            if (i % 8 == 0) h = mix(h + i);
            v[i] += static_cast<float>(static_cast<int>((h >> (i % 8 * 8)) & 255) - 128);
        }
        begin = end + 1;
    } while (begin <= text.size());
    double square = 0;
    for (const float x : v) square += static_cast<double>(x) * static_cast<double>(x);
    const double scale = square > 0 ? 1.0 / std::sqrt(square) : 0.0;
    for (float& x : v) x = static_cast<float>(static_cast<double>(x) * scale);
    return v;
}

body_or_refusal embeddings(const element& root) {
    element input;
    if (root["input"].get(input) != simdjson::SUCCESS) return missing("input");
    std::uint64_t dimensions = dimensions_default;
    (void)root["dimensions"].get(dimensions);
    dimensions = std::clamp<std::uint64_t>(dimensions, 1, dimensions_max);
    const bool as_base64 = text_of(root, "encoding_format") == "base64";
    std::string out = R"({"object":"list","data":[)";
    std::size_t tokens = 0, index = 0;
    for (const std::string& text : inputs(input)) {
        tokens += count_tokens(text);
        const auto v = embed(text, dimensions);
        put(out, index > 0 ? "," : "", R"({"object":"embedding","index":)", index, R"(,"embedding":)");
        ++index;
        if (as_base64) {
            std::string bytes(v.size() * sizeof(float), '\0');  // little endian, as the API has it
            std::memcpy(bytes.data(), v.data(), bytes.size());
            put(out, quoted{base64(bytes)}, "}");
            continue;
        }
        for (std::size_t i = 0; i < v.size(); ++i) put(out, i > 0 ? "," : "[", static_cast<double>(v[i]));
        out += "]}";
    }
    put(out, R"(],"model":)", quoted{text_of(root, "model")}, R"(,"usage":{"prompt_tokens":)", tokens,
        R"(,"total_tokens":)", tokens, "}}");
    return out;
}

// Flags whatever contains one of the words "kill", "hate" or "attack": enough to test both verdicts.
body_or_refusal moderations(const element& root) {
    element input;
    if (root["input"].get(input) != simdjson::SUCCESS) return missing("input");
    std::string out = R"({"id":"modr-sim","model":)";
    put(out, quoted{text_of(root, "model", "sim-moderation")}, R"(,"results":[)");
    bool first = true;
    for (const std::string& text : inputs(input)) {
        const bool violence = text.find("kill") != std::string::npos || text.find("attack") != std::string::npos;
        const bool hate = text.find("hate") != std::string::npos;
        put(out, first ? "" : ",", R"({"flagged":)", violence || hate, R"(,"categories":{"hate":)", hate,
            R"(,"violence":)", violence, R"(},"category_scores":{"hate":)", hate ? 0.97 : 0.01, R"(,"violence":)",
            violence ? 0.98 : 0.01, R"(},"category_applied_input_types":{"hate":["text"],"violence":["text"]}})");
        first = false;
    }
    out += "]}";
    return out;
}

body_or_refusal rerank(const element& root) {
    element documents;
    if (root["documents"].get(documents) != simdjson::SUCCESS) return missing("documents");
    const auto query = embed(text_of(root, "query"), dimensions_default);
    std::vector<std::pair<double, std::size_t>> scores;
    const auto texts = inputs(documents);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto v = embed(texts[i], dimensions_default);
        double dot = 0;
        for (std::size_t k = 0; k < v.size(); ++k) dot += static_cast<double>(v[k]) * static_cast<double>(query[k]);
        scores.emplace_back((dot + 1) / 2, i);
    }
    // Best first; equals in the order in which they were given.
    std::sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::uint64_t top = scores.size();
    (void)root["top_n"].get(top);
    scores.resize(std::min<std::size_t>(top, scores.size()));
    std::string out = R"({"id":"rerank-sim","model":)";
    put(out, quoted{text_of(root, "model")}, R"(,"results":[)");
    std::size_t tokens = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const std::string& text = texts[scores[i].second];
        tokens += count_tokens(text);
        put(out, i > 0 ? "," : "", R"({"index":)", scores[i].second, R"(,"relevance_score":)", scores[i].first,
            R"(,"document":{"text":)", quoted{text}, "}}");
    }
    put(out, R"(],"usage":{"total_tokens":)", tokens, "}}");
    return out;
}

body_or_refusal images(const element& root, std::int64_t created) {
    if (text_of(root, "prompt").empty()) return missing("prompt");
    std::uint64_t n = 1;
    (void)root["n"].get(n);
    std::string out;
    put(out, R"({"created":)", created, R"(,"data":[)");
    for (std::uint64_t i = 0; i < std::clamp<std::uint64_t>(n, 1, 10); ++i) {
        put(out, i > 0 ? "," : "", R"({"b64_json":")", tiny_png, R"("})");
    }
    put(out, R"(],"usage":{"input_tokens":)", count_tokens(text_of(root, "prompt")),
        R"(,"output_tokens":256,"total_tokens":)", count_tokens(text_of(root, "prompt")) + 256, "}}");
    return out;
}

std::string speech(const element& root, std::string& type) {
    const auto format = text_of(root, "response_format", "mp3");
    type = format == "mp3" ? "audio/mpeg" : "audio/" + std::string(format);
    std::string out = format == "wav" ? "RIFF" : format == "opus" ? "OggS" : format == "flac" ? "fLaC" : "ID3";
    // 64 bytes of sound for each byte of text.
    const auto text = text_of(root, "input");
    for (std::size_t i = 0; i < text.size() * 64; ++i) out += static_cast<char>(mix(i) & 255);
    return out;
}

std::vector<form_part> read_form(std::string_view content_type, std::string_view body) {
    std::vector<form_part> parts;
    const auto boundary = parameter_of(content_type, "boundary");
    if (boundary.empty()) return parts;
    const std::string delimiter = "--" + std::string(boundary);
    auto at = body.find(delimiter);
    while (at != std::string_view::npos) {
        const auto begin = at + delimiter.size() + 2;
        const auto end = body.find(delimiter, begin);
        if (end == std::string_view::npos) break;
        const auto part = body.substr(begin, end - begin);
        const auto blank = part.find("\r\n\r\n");
        if (blank != std::string_view::npos && part.size() >= blank + 6) {
            const auto head = part.substr(0, blank);
            parts.push_back({parameter_of(head, " name"), parameter_of(head, "filename"),
                             part.substr(blank + 4, part.size() - blank - 6)});
        }
        at = end;
    }
    return parts;
}

body_or_refusal transcription(const request& r) {
    std::string_view model;
    const form_part* file = nullptr;
    const auto parts = read_form(r.find("content-type"), r.body);
    for (const form_part& p : parts) {
        if (p.name == "model") model = p.content;
        if (p.name == "file") file = &p;
    }
    if (file == nullptr) return missing("file");
    std::string text;
    put(text, "model ", model, " heard ", file->content.size(), " bytes of ", file->file_name);
    std::string out;
    put(out, R"({"text":)", quoted{text}, R"(,"usage":{"type":"tokens","input_tokens":)", file->content.size() / 100,
        R"(,"output_tokens":)", count_tokens(text), R"(,"total_tokens":)",
        file->content.size() / 100 + count_tokens(text), "}}");
    return out;
}

std::string model_list(const std::vector<std::string>& models, const std::vector<std::string>& loras,
                       std::int64_t created) {
    std::string out = R"({"object":"list","data":[)";
    bool first = true;
    const auto add = [&](const std::string& name, std::string_view parent) {
        put(out, first ? "" : ",", R"({"id":)", quoted{name}, R"(,"object":"model","created":)", created,
            R"(,"owned_by":"sluice-sim","root":)", quoted{name}, R"(,"parent":)");
        if (parent.empty()) {
            out += "null}";
        } else {
            put(out, quoted{parent}, "}");
        }
        first = false;
    };
    for (const std::string& m : models) add(m, "");
    for (const std::string& l : loras) add(l, models.empty() ? "" : models.front());
    out += "]}";
    return out;
}

std::string echo(const request& r) {
    std::string out;
    put(out, R"({"method":)", quoted{r.method}, R"(,"target":)", quoted{r.target}, R"(,"path":)", quoted{r.path},
        R"(,"query":)", quoted{r.query}, R"(,"headers":[)");
    for (std::size_t i = 0; i < r.fields.size(); ++i) {
        put(out, i > 0 ? "," : "", "[", quoted{r.fields[i].name}, ",", quoted{r.fields[i].value}, "]");
    }
    put(out, R"(],"body":)", quoted{r.body}, "}");
    return out;
}

}  // namespace sluice::sim
