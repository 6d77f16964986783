#include "config/manifests.hpp"

#include "config/document.hpp"
#include "config/yaml_reader.hpp"

#include <algorithm>
#include <array>

namespace sluice::config {
namespace {

constexpr std::array<std::string_view, 4> about_itself{"apiVersion", "kind", "metadata", "status"};

std::string text_of(const node& n, std::string_view key) {
    const member* const m = n.find(key);
    return m != nullptr && m->value->kind == node_kind::scalar ? m->value->text : std::string{};
}

manifest head_of(const node& object) {
    manifest m{text_of(object, "apiVersion"), text_of(object, "kind"), {}, {}};
    if (const member* const metadata = object.find("metadata")) {
        m.name = text_of(*metadata->value, "name");
        m.space = text_of(*metadata->value, "namespace");
    }
    return m;
}

class object_walk {
public:
    object_walk(const std::function<manifest_reader(const manifest&)>& choose, references& refs, problem_list& problems)
        : choose_(choose), refs_(refs), problems_(problems) {}

    void visit(const node_ptr& object) {
        const manifest head = head_of(*object);
        const member* const items = object->find("items");
        if (head.kind.ends_with("List") && items != nullptr && items->value->kind == node_kind::list) {
            for (const node_ptr& item : items->value->items) {
                if (item->kind == node_kind::map) visit(item);
            }
        } else if (const manifest_reader read = choose_(head)) {
            yaml_reader reader{head.kind.empty() ? object : without_head(*object), refs_, problems_};
            read(reader);
            reader.finish();
        }
    }

private:
    static node_ptr without_head(const node& object) {
        auto rest = std::make_shared<node>(object);
        std::erase_if(rest->members, [](const member& m) {
            if (m.value->kind == node_kind::null) return true;  // what kubectl writes for a list without items
            return std::find(about_itself.begin(), about_itself.end(), m.key) != about_itself.end();
        });
        return rest;
    }

    const std::function<manifest_reader(const manifest&)>& choose_;
    references& refs_;
    problem_list& problems_;
};

}  // namespace

load_report load_manifests(const std::string& path, const std::function<manifest_reader(const manifest&)>& choose,
                           environment env) {
    load_report report;
    problem_list problems;
    report.seen.add_file(path);
    report.files.push_back(path);
    references refs{{std::move(env.variable), [&](const std::string& file) {
                         report.seen.add_file(file);
                         return env.file(file);
                     }}};
    const std::vector<document> documents = document::load_all(path, problems);
    if (std::all_of(documents.begin(), documents.end(), [](const document& d) { return d.complete; })) {
        object_walk walk{choose, refs, problems};
        for (const document& d : documents) walk.visit(d.root);
    }
    report.problems = problems.take();
    return report;
}

}  // namespace sluice::config
