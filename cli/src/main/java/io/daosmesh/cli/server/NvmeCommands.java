package io.daosmesh.cli.server;

import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.TextTable;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.machine.PciBinding;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code daos_server nvme}. Owner: the main thread. */
@Command(name = "nvme", description = "NVMe SSDs of this machine")
final class NvmeCommands extends Sub {
    /** What prepare takes, also in its old spelling. */
    static final class Flags {
        @Option(
                names = {"-p", "--hugepages"},
                paramLabel = "N",
                description = "also reserve so many hugepages of 2 MiB")
        @Nullable
        Integer hugepages;

        @Option(names = "--disable-vfio", description = "uio_pci_generic also with an IOMMU")
        boolean noVfio;

        @Option(names = "--pci-block-list", paramLabel = "ADDRESSES", description = "controllers to leave alone")
        @Nullable
        String blocked;
    }

    @Command(name = "scan", description = "NVMe controllers and who drives them")
    int scan() {
        Devices devices = Devices.of(root().sys(), root().file());
        return root().show(devices::nvmeText, devices::nvmeJson);
    }

    @Command(name = "prepare", description = "Give controllers to a driver for user space")
    int prepare(
            @Mixin Flags flags,
            @Parameters(paramLabel = "ADDRESSES", arity = "0..*", description = "only these controllers") @Nullable
                    List<String> allowed) {
        return prepare(root(), flags, allowed);
    }

    static int prepare(ServerRoot root, Flags flags, @Nullable List<String> allowed) {
        refuseWithout(root);
        PciBinding binding = root.binding();
        String driver = binding.driver(flags.noVfio);
        if (flags.hugepages != null) binding.hugepages(flags.hugepages);
        return show(
                root, binding.bind(set(allowed), set(flags.blocked == null ? null : List.of(flags.blocked)), driver));
    }

    @Command(name = "reset", description = "Give controllers back to the kernel")
    int reset(
            @Parameters(paramLabel = "ADDRESSES", arity = "0..*", description = "only these controllers") @Nullable
                    List<String> allowed,
            @Option(names = "--pci-block-list", paramLabel = "ADDRESSES", description = "controllers to leave alone")
                    @Nullable
                    String blocked) {
        return reset(root(), allowed, blocked);
    }

    static int reset(ServerRoot root, @Nullable List<String> allowed, @Nullable String blocked) {
        refuseWithout(root);
        return show(
                root,
                root.binding().bind(set(allowed), set(blocked == null ? null : List.of(blocked)), PciBinding.NVME));
    }

    /** Emulated devices have no driver to change. */
    private static void refuseWithout(ServerRoot root) {
        ServerFile file = root.file();
        Devices devices = Devices.of(root.sys(), file);
        if (!devices.controllers().isEmpty()) return;
        String emulated = devices.emulated().isEmpty()
                ? ""
                : "; the devices of " + file.path() + " are emulated (class "
                        + devices.emulated().get(0).getDeviceClass() + ")";
        throw nothing("this machine has no NVMe controllers" + emulated);
    }

    private static FaultException nothing(String text) {
        return Fault.of(FaultCode.NONEXIST, "%s", text)
                .remedy("nothing has to be prepared for emulated devices; for others see lspci -d ::0108")
                .with(ServerRoot.NUMBER, 304)
                .with(ServerRoot.DOMAIN, "bdev")
                .asException();
    }

    private static Set<String> set(@Nullable List<String> addresses) {
        Set<String> all = new TreeSet<>();
        if (addresses == null) return all;
        for (String words : addresses) {
            for (String address : words.split("[,\\s]+")) {
                if (!PciBinding.isAddress(address)) {
                    throw Fault.of(FaultCode.INVAL, "'%s' is not a PCI address", address)
                            .remedy("write it like 0000:81:00.0")
                            .with(ServerRoot.NUMBER, 303)
                            .with(ServerRoot.DOMAIN, "bdev")
                            .asException();
                }
                all.add(address.toLowerCase(java.util.Locale.ROOT));
            }
        }
        return all;
    }

    private static int show(ServerRoot root, List<PciBinding.Result> results) {
        if (results.isEmpty()) throw nothing("no NVMe controller is left to change");
        TextTable table = new TextTable("NVMe PCI", "Driver", "Result");
        List<Map<String, ?>> json = new ArrayList<>();
        results.forEach(r -> {
            table.row(
                    r.address(),
                    r.driver().isEmpty() ? null : r.driver(),
                    r.error().isEmpty() ? "OK" : r.error());
            json.add(Json.object("pci_addr", r.address(), "driver", r.driver(), "error", r.error()));
        });
        List<PciBinding.Result> failed =
                results.stream().filter(r -> !r.error().isEmpty()).toList();
        Map<String, ?> response = Json.object("results", json);
        if (failed.isEmpty()) return root.show(table::render, () -> response);
        PciBinding.Result first = failed.get(0);
        Fault fault = Fault.of(
                        first.error().startsWith("in use") ? FaultCode.BUSY : FaultCode.NO_PERM,
                        "%d of %d controllers could not be changed: %s: %s",
                        failed.size(),
                        results.size(),
                        first.address(),
                        first.error())
                .remedy("correct what each line says, or leave the controller out with --pci-block-list")
                .with(ServerRoot.DOMAIN, "bdev");
        return root.failed(table.render(), response, fault);
    }
}
