#include "routing/pools/inference_pool.hpp"

#include "unit/config/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::routing;
using config::testing::lines;

namespace {

const std::string manifest = R"(apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata:
  name: llama
  namespace: serving
  labels: {app: vllm}
  annotations: {inference.networking.x-k8s.io/export: ClusterSet}
spec:
  selector: {matchLabels: {app: vllm-llama}}
  targetPorts: [{number: 8000}, {number: 8001}]
  appProtocol: http
  endpointPickerRef:
    name: llama-epp
    port: {number: 9003}
    failureMode: FailOpen
status: {parents: []}
)";

struct read_pools {
    std::vector<inference_pool> pools;
    lines problems;  // without the folder
};

read_pools pools_of(std::string_view text) {
    const config::testing::temporary_folder folder;
    const std::string path = folder.write("p.yaml", text);
    auto loaded = load_inference_pools(path);
    read_pools out{std::move(loaded.pools), {}};
    for (const auto& p : loaded.report.problems) out.problems.push_back(config::to_string(p).substr(path.size() - 6));
    return out;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}

// A pool as the configuration has it, with the manifest beside it.
struct fixture {
    explicit fixture(std::string_view text = manifest) {
        folder.write("pool.yaml", text);
        pool.from.emplace();
        pool.from->file = "pool.yaml";
    }
    void import() {
        auto done = import_inference_pool(pool, std::filesystem::path(folder.path("x")).parent_path());
        h2c = done.h2c;
        for (const auto& e : done.endpoints) urls.push_back(e.url);
        for (const auto& m : done.misfits) misfits.push_back(m.key + ": " + m.message);
        for (const auto& r : done.reports) {
            for (const auto& p : r.problems) problems.push_back(p.message);
            for (const auto& f : r.seen.files()) files.push_back(std::filesystem::path(f).filename());
        }
    }
    config::testing::temporary_folder folder;
    pool_config pool;
    lines urls, misfits, problems, files;
    bool h2c = false;
};

}  // namespace

TEST_CASE("an InferencePool tells ports, protocol and picker") {
    const auto found = pools_of(manifest);
    CHECK(found.problems == lines{});
    REQUIRE(found.pools.size() == 1);
    const inference_pool& p = found.pools.front();
    CHECK(p.name == "llama");
    CHECK(p.space == "serving");
    CHECK(p.ports == std::vector<std::uint16_t>{8000, 8001});
    CHECK(p.protocol == server_protocol::http1);
    REQUIRE(p.chosen_by);
    CHECK(p.chosen_by->service == "llama-epp");
    CHECK(p.chosen_by->port == 9003);
    CHECK(p.chosen_by->on_failure == ext_proc::failure_mode::open);
}

TEST_CASE("what a manifest leaves out has the defaults of the interface") {
    const auto found = pools_of(
        "kind: InferencePool\napiVersion: inference.networking.k8s.io/v1\nmetadata: {name: a}\n"
        "spec: {selector: {}, targetPorts: [{number: 1}], endpointPickerRef: {name: e, group: '', kind: "
        "Service}}\n---\n"
        "kind: InferencePool\napiVersion: inference.networking.k8s.io/v1\nmetadata: {name: b}\n"
        "spec: {selector: {}, targetPorts: [{number: 65535}]}\n");
    CHECK(found.problems == lines{});
    REQUIRE(found.pools.size() == 2);
    REQUIRE(found.pools[0].chosen_by);
    CHECK(found.pools[0].chosen_by->port == 9002);
    CHECK(found.pools[0].chosen_by->on_failure == ext_proc::failure_mode::closed);
    CHECK_FALSE(found.pools[1].chosen_by);
}

TEST_CASE("the names of v1alpha2 are understood") {
    const auto found = pools_of(
        "apiVersion: inference.networking.x-k8s.io/v1alpha2\nkind: InferencePool\nmetadata: {name: old}\n"
        "spec:\n  targetPortNumber: 8000\n  selector: {app: x}\n  extensionRef: {name: epp, portNumber: 9004}\n");
    CHECK(found.problems == lines{});
    REQUIRE(found.pools.size() == 1);
    CHECK(found.pools[0].ports == std::vector<std::uint16_t>{8000});
    REQUIRE(found.pools[0].chosen_by);
    CHECK(found.pools[0].chosen_by->port == 9004);
}

TEST_CASE("other objects, and other versions, are skipped") {
    const auto found =
        pools_of("kind: Deployment\napiVersion: apps/v1\nspec: {replicas: many}\n---\n" + manifest +
                 "---\nkind: InferencePool\napiVersion: example.com/v7\nspec: 1\n---\nkind: Service\napiVersion: v1\n");
    CHECK(found.problems == lines{});
    CHECK(found.pools.size() == 1);
}

TEST_CASE("a field of a manifest that is wrong is told with its place") {
    const auto problem_with = [](std::string_view what, std::string_view by) {
        const auto found = pools_of("kind: Other\n---\n" + replaced(manifest, what, by));
        REQUIRE(found.problems.size() == 1);
        return found.problems.front();
    };
    CHECK(problem_with("number: 8000", "number: many") ==
          "p.yaml:12:26: spec.targetPorts[0].number: expected a number from 1 to 65535, got \"many\"");
    CHECK(problem_with("number: 8000", "number: 65536").starts_with("p.yaml:12:26: spec.targetPorts[0].number:"));
    CHECK(problem_with("number: 8001", "number: 8000") == "p.yaml:12:16: spec.targetPorts: has port 8000 twice");
    CHECK(problem_with("[{number: 8000}, {number: 8001}]", "[]").find("at least 1 item") != std::string::npos);
    CHECK(problem_with("FailOpen", "FailOpne").find("did you mean \"FailOpen\"") != std::string::npos);
    CHECK(problem_with("appProtocol: http", "appProtocol: https").starts_with("p.yaml:13:16: spec.appProtocol:"));
    CHECK(problem_with("endpointPickerRef", "endpointPickerReff") ==
          "p.yaml:14:3: spec: unknown key \"endpointPickerReff\"; did you mean \"endpointPickerRef\"?");
    CHECK(problem_with("name: llama-epp", "name: llama-epp\n    kind: Pod").find("is a Service") != std::string::npos);
    CHECK(problem_with("name: llama-epp", "name: evil.example/x").find("no name of a service") != std::string::npos);
    CHECK(problem_with("  name: llama\n", "") == "p.yaml:3:1: has no metadata.name");
}

TEST_CASE("addresses come from slices, without those that are not ready, or from a list") {
    const config::testing::temporary_folder folder;
    const std::string slices = folder.write("s.yaml", R"(apiVersion: v1
kind: List
items:
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: a, labels: {kubernetes.io/service-name: vllm}, ownerReferences: [{}]}
  addressType: IPv4
  endpoints:
  - {addresses: [10.0.0.1], conditions: {ready: true, serving: true, terminating: false}, nodeName: n, zone: z}
  - {addresses: [10.0.0.2], conditions: {ready: false}, targetRef: {kind: Pod}}
  - addresses: [10.0.0.3]
  ports: [{name: http, port: 80, protocol: TCP}]
- {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, endpoints: null, ports: null}
- {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv6, endpoints: [{addresses: ["fd00::1"]}]}
- {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, endpoints: [{addresses: [10.0.0.1]}]}
)");
    const auto from_slices = load_addresses(slices);
    CHECK(from_slices.report.problems.empty());
    CHECK(from_slices.addresses == std::vector<std::string>{"10.0.0.1", "10.0.0.3", "fd00::1"});
    const auto listed = load_addresses(folder.write("l.yaml", "addresses: [10.0.0.1, 10.0.0.2]\n"));
    CHECK(listed.report.problems.empty());
    CHECK(listed.addresses.size() == 2);
    const auto with_port = load_addresses(folder.write("w.yaml", "addresses: [10.0.0.1, \"10.0.0.2:8000\"]\n"));
    REQUIRE(with_port.report.problems.size() == 1);
    CHECK(with_port.report.problems.front().hint == "write it without a port");
    CHECK(with_port.report.problems.front().line == 1);
}

TEST_CASE("each address at each port is an endpoint") {
    fixture f;
    f.folder.write("more.yaml", "addresses: [\"fd00::1\", 10.0.0.1]\n");
    f.pool.from->addresses = {"10.0.0.1"};
    f.pool.from->addresses_file = "more.yaml";
    f.pool.from->dns = "vllm.example";
    f.import();
    CHECK(f.misfits == lines{});
    CHECK(f.problems == lines{});
    CHECK(f.files == lines{"pool.yaml", "more.yaml"});
    CHECK(f.urls == lines{"http://10.0.0.1:8000", "http://10.0.0.1:8001", "http://[fd00::1]:8000",
                          "http://[fd00::1]:8001", "http://10.0.0.1:8000", "http://10.0.0.1:8001"});
    REQUIRE(f.pool.dns);
    CHECK(f.pool.dns->name == "vllm.example");
    CHECK(f.pool.dns->ports == std::vector<std::uint16_t>{8000, 8001});
}

TEST_CASE("the picker is the manifest's service, unless the configuration says more") {
    fixture plain;
    plain.import();
    REQUIRE(plain.pool.service);
    CHECK(plain.pool.service->address == "llama-epp.serving.svc:9003");
    CHECK(plain.pool.service->session.on_failure == ext_proc::failure_mode::open);

    fixture told;
    told.pool.service.emplace();
    told.pool.service->address = "127.0.0.1:9002";
    told.pool.service->says_on_failure = true;
    told.import();
    CHECK(told.pool.service->address == "127.0.0.1:9002");
    CHECK(told.pool.service->session.on_failure == ext_proc::failure_mode::closed);

    fixture native;
    native.pool.from->ask_picker = false;
    native.import();
    CHECK_FALSE(native.pool.service);
    CHECK(native.misfits == lines{});

    fixture nowhere(replaced(manifest, "  namespace: serving\n", ""));
    nowhere.import();
    CHECK(nowhere.pool.service->address == "llama-epp.default.svc:9003");
}

TEST_CASE("without a picker in the manifest the pool's own balancer chooses") {
    const auto at = manifest.find("  endpointPickerRef");
    const std::string without = manifest.substr(0, at) + manifest.substr(manifest.find("status:"));
    fixture f(without);
    f.import();
    CHECK(f.misfits == lines{});
    CHECK_FALSE(f.pool.service);
    fixture half(without);
    half.pool.service.emplace();
    half.import();
    CHECK(half.misfits == lines{"picker_service: neither this nor the manifest has the picker's address"});
}

TEST_CASE("a pool that is not there, or not the only one, is told where the configuration names it") {
    fixture other;
    other.pool.from->name = "lama";
    other.import();
    CHECK(other.misfits == lines{"inference_pool.name: the file has no such InferencePool; did you mean \"llama\"?"});
    CHECK(other.urls.empty());
    fixture two(manifest + "---\n" + replaced(manifest, "serving", "staging"));
    two.import();
    CHECK(two.misfits == lines{"inference_pool: the file has several InferencePools that fit"});
    fixture chosen(manifest + "---\n" + replaced(manifest, "serving", "staging"));
    chosen.pool.from->space = "staging";
    chosen.import();
    CHECK(chosen.misfits == lines{});
    CHECK(chosen.pool.service->address == "llama-epp.staging.svc:9003");
    fixture none("kind: Service\n");
    none.import();
    CHECK(none.misfits == lines{"inference_pool.file: holds no InferencePool"});
}

TEST_CASE("servers speak the protocol of the manifest") {
    fixture plain;
    plain.import();
    CHECK_FALSE(plain.h2c);
    fixture h2(replaced(manifest, "appProtocol: http", "appProtocol: kubernetes.io/h2c"));
    h2.import();
    CHECK(h2.h2c);
}

TEST_CASE("an address with a port, or that is none, is refused") {
    fixture f;
    f.pool.from->addresses = {"10.0.0.1:8000", "10.0.0.2", "http://10.0.0.3"};
    f.import();
    CHECK(f.misfits.size() == 2);
    CHECK(f.urls == lines{"http://10.0.0.2:8000", "http://10.0.0.2:8001"});
}

TEST_CASE("a configuration must say where the servers of an InferencePool are") {
    const auto problems_of = [](std::string_view pool) {
        pool_config c;
        return config::testing::problems_of(pool, [&](config_reader& r) { read_pool(r, c); });
    };
    CHECK(problems_of("inference_pool: {file: p.yaml, addresses: [10.0.0.1]}\n") == lines{});
    CHECK(problems_of("inference_pool: {file: p.yaml}\nendpoints: []\n") == lines{});
    CHECK(problems_of("inference_pool: {file: p.yaml}\n").size() == 1);
    CHECK(problems_of("inference_pool: {file: p.yaml, dns: a}\ndns: {name: b}\n").size() == 1);
    CHECK(problems_of("picker_service: {}\n") == lines{"g.yaml:1:17: picker_service: missing key \"address\""});
    CHECK(problems_of("inference_pool: {file: p.yaml, dns: a}\npicker_service: {}\n") == lines{});
}
