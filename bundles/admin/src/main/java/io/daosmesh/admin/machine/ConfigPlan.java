package io.daosmesh.admin.machine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.ControllerMessage;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.InterfaceMessage;
import io.daosmesh.model.wire.NamespaceMessage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * How the engines of a machine share what it has: each lies in one NUMA node, with an interface, SCM and SSDs of that node, and all
 * have as many SSDs and targets, as a server wants it. Pure.
 */
final class ConfigPlan {
    private static final int TARGETS_MAX = 64;
    /** Of each NUMA node: for the container, gossip, Raft and telemetry. */
    private static final int CORES_KEPT = 1;
    /** Memory that is no SCM, as DAOS's {@code system_ram_reserved}; of a small machine half. */
    private static final long RESERVED_BYTES = 16L << 30;

    /** @param bytes of the SCM of class ram; 0 = as it is */
    record Scm(String kind, String mount, List<String> list, long bytes) {}

    /** @param bytes of each emulated device; 0 = as it is */
    record Ssds(String kind, List<String> list, long bytes) {}

    /** One engine of the plan. */
    record Engine(int numa, String netInterface, Scm scm, Ssds ssds, int targets) {}

    private final HostMachine machine;
    private final ConfigOptions options;

    private ConfigPlan(HostMachine machine, ConfigOptions options) {
        this.machine = machine;
        this.options = options;
    }

    static List<Engine> of(HostMachine machine, ConfigOptions options) {
        ConfigPlan plan = new ConfigPlan(machine, options);
        List<Engine> engines = machine.isEmulated() ? plan.emulated() : plan.real();
        return even(engines, options);
    }

    /** Every engine gets as many SSDs as the poorest, and targets that they divide among themselves. */
    private static List<Engine> even(List<Engine> engines, ConfigOptions options) {
        int ssds = engines.stream().mapToInt(e -> e.ssds.list.size()).min().orElse(0);
        int targets = engines.stream().mapToInt(Engine::targets).min().orElse(1);
        if (!options.scmOnly() && ssds < options.minSsds()) {
            throw lacking(
                    "an engine would have " + ssds + " SSDs, fewer than " + options.minSsds(),
                    "give a smaller --min-ssds, fewer --num-engines, or --scm-only");
        }
        int divided = ssds == 0 ? targets : ssds > targets ? targets : targets / ssds * ssds;
        return engines.stream()
                .map(e -> new Engine(
                        e.numa,
                        e.netInterface,
                        e.scm,
                        new Ssds(e.ssds.kind, e.ssds.list.subList(0, ssds), e.ssds.bytes),
                        divided))
                .toList();
    }

    private List<Engine> real() {
        List<Integer> nodes = new ArrayList<>(machine.nodes());
        if (options.engines() == 0) {
            nodes.removeIf(n -> !isUsable(n));
            if (nodes.isEmpty()) nodes.add(machine.nodes().get(0));
        } else if (options.engines() > nodes.size()) {
            throw lacking(
                    options.engines() + " engines want as many NUMA nodes; there are " + nodes.size(),
                    "give at most --num-engines " + nodes.size());
        } else {
            nodes.sort(Comparator.comparing((Integer n) -> !isUsable(n)).thenComparing(n -> n));
            nodes = new ArrayList<>(nodes.subList(0, options.engines()));
            nodes.sort(null);
        }
        List<Engine> engines = new ArrayList<>();
        for (int node : nodes) {
            int index = engines.size();
            Scm scm = options.tmpfs() ? memory(index, nodes.size()) : persistent(index, node);
            List<String> ssds = options.scmOnly()
                    ? List.of()
                    : machine.controllers(node).stream()
                            .map(ControllerMessage::getAddress)
                            .toList();
            engines.add(new Engine(node, netInterface(node), scm, new Ssds("nvme", ssds, 0), targets(node, 1)));
        }
        return engines;
    }

    private boolean isUsable(int node) {
        boolean scm = options.tmpfs() || !machine.namespaces(node).isEmpty();
        boolean ssds = options.scmOnly() || machine.controllers(node).size() >= options.minSsds();
        return scm && ssds;
    }

    /** The devices that the node has already, in their order. */
    private List<Engine> emulated() {
        List<DeviceInfoMessage> devices = options.scmOnly() ? List.of() : machine.emulated();
        int now = (int) machine.emulated().stream()
                .mapToInt(DeviceInfoMessage::getEngineIndex)
                .distinct()
                .count();
        int count = options.engines() == 0 ? Math.max(1, now) : options.engines();
        int each = devices.size() / count;
        List<Engine> engines = new ArrayList<>();
        List<Integer> nodes = machine.nodes();
        for (int i = 0; i < count; i++) {
            int node = nodes.get(i % nodes.size());
            List<DeviceInfoMessage> own = devices.subList(i * each, (i + 1) * each);
            Ssds ssds = new Ssds(
                    own.isEmpty() ? "file" : own.get(0).getDeviceClass(),
                    own.stream().map(DeviceInfoMessage::getAddress).toList(),
                    own.stream()
                            .mapToLong(DeviceInfoMessage::getSizeBytes)
                            .min()
                            .orElse(0));
            Scm scm = options.tmpfs() ? memory(i, count) : folder(i);
            engines.add(new Engine(node, netInterface(node), scm, ssds, targets(node, (count - 1) / nodes.size() + 1)));
        }
        return engines;
    }

    private Scm folder(int index) {
        var folders = machine.folders();
        String mount = index < folders.size() ? folders.get(index).getMount() : mount(index);
        return new Scm("file", mount, List.of(), 0);
    }

    private Scm persistent(int index, int node) {
        List<NamespaceMessage> found = machine.namespaces(node);
        if (found.isEmpty()) {
            throw lacking(
                    "NUMA node " + node + " has no PMem namespace",
                    machine.hardware().getPmemModules() > 0
                            ? "make namespaces with ndctl create-namespace, or use memory with --use-tmpfs-scm"
                            : "use memory with --use-tmpfs-scm");
        }
        return new Scm("dcpm", mount(index), List.of("/dev/" + found.get(0).getName()), 0);
    }

    private Scm memory(int index, int engines) {
        long all = machine.memoryBytes();
        long left = Math.max(all - RESERVED_BYTES, all / 2);
        long each = left / engines >> 30;
        if (each < 1) {
            throw lacking(
                    "the machine has " + (all >> 20) + " MiB of memory: less than 1 GiB for the SCM of each engine",
                    "give fewer --num-engines, or more memory");
        }
        return new Scm("ram", mount(index), List.of(), each << 30);
    }

    private static String mount(int index) {
        return "/mnt/daos" + index;
    }

    private int targets(int node, int enginesOfNode) {
        return Math.max(1, Math.min(TARGETS_MAX, machine.cores(node) / enginesOfNode - CORES_KEPT));
    }

    /** The fastest of the class on this NUMA node, else on any. */
    private String netInterface(int node) {
        Optional<InterfaceMessage> best = best(node).or(() -> best(-1));
        return best.map(InterfaceMessage::getName)
                .orElseThrow(() -> lacking(
                        "there is no network interface of class " + options.netClass() + " that is up",
                        "see dmg network scan, or give another --net-class"));
    }

    private Optional<InterfaceMessage> best(int node) {
        return machine.hardware().getInterfacesList().stream()
                .filter(InterfaceMessage::getUp)
                .filter(i -> node < 0 || i.getNumaNode() == node)
                .filter(i -> isOfClass(i.getNetClass()))
                .min(Comparator.comparing(
                                (InterfaceMessage i) -> !i.getNetClass().equals("INFINIBAND"))
                        .thenComparing(i -> -i.getSpeedMbps())
                        .thenComparing(InterfaceMessage::getName));
    }

    private boolean isOfClass(String netClass) {
        return switch (options.netClass()) {
            case INFINIBAND -> netClass.equals("INFINIBAND");
            case ETHERNET -> netClass.equals("ETHER");
            case BEST_AVAILABLE -> netClass.equals("INFINIBAND") || netClass.equals("ETHER");
        };
    }

    private static FaultException lacking(String text, String remedy) {
        return Fault.of(FaultCode.INVAL, "%s", text).remedy(remedy).asException();
    }
}
