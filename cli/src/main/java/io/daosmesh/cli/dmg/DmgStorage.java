package io.daosmesh.cli.dmg;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.UpkeepCalls;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.StorageView;
import io.daosmesh.admin.view.TextTable;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.StorageFormatReply;
import io.daosmesh.model.wire.StorageScanReply;
import io.daosmesh.model.wire.StorageUsageReply;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code dmg storage}: scan and format; the rest is in {@link DmgDevices}. Owner: the main thread. */
@Command(name = "storage", aliases = "sto", description = "Storage of the hosts", addMethodSubcommands = false)
final class DmgStorage {
    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    @Command(name = "scan", description = "What storage the hosts have")
    int scan(
            @Option(
                            names = {"-v", "--verbose"},
                            description = "every device")
                    boolean verbose,
            @Option(
                            names = {"-n", "--nvme-health"},
                            description = "health of NVMe devices")
                    boolean health,
            @Option(
                            names = {"-m", "--nvme-meta"},
                            description = "what DAOS uses NVMe devices for")
                    boolean meta) {
        if (verbose && (health || meta)) {
            throw DmgSystem.invalid("cannot use --verbose with " + (health ? "--nvme-health" : "--nvme-meta"));
        }
        if (health && meta) throw DmgSystem.invalid("cannot use --nvme-health with --nvme-meta");
        HostReplies<StorageScanReply> replies = root.calls().storageScan(root.hosts(), health, meta);
        return root.show(
                replies,
                () -> {
                    if (health) return StorageView.scanHealth(replies);
                    if (meta) return StorageView.scanMeta(replies);
                    return verbose ? StorageView.scanVerbose(replies) : StorageView.scan(replies);
                },
                () -> StorageView.scanJson(replies));
    }

    @Command(
            name = "format",
            description = "Prepare the storage of hosts; formatted storage is refused without --force")
    int format(
            @Option(
                            names = {"-v", "--verbose"},
                            description = "every device")
                    boolean verbose,
            @Option(
                            names = {"--force", "--reformat"},
                            description = "wipe what is there; the system, with its pools, is erased first")
                    boolean force,
            @Option(
                            names = "--replace",
                            description = "of one host that has lost its storage: it takes its old ranks again")
                    boolean replace) {
        if (replace && force) throw DmgSystem.invalid("cannot use --replace with --force");
        if (replace && root.hosts().size() != 1)
            throw Fault.of(
                            FaultCode.INVAL,
                            "%d hosts are named: ranks are replaced host by host",
                            root.hosts().size())
                    .remedy("name one with -l")
                    .asException();
        boolean isWiped = force && new UpkeepCalls(root.calls()).eraseSystemOf(root.hosts());
        HostReplies<StorageFormatReply> replies = root.calls().storageFormat(root.hosts(), force && !isWiped, replace);
        Map<String, List<FormatResultMessage>> failures = StorageView.formatFailures(replies);
        if (failures.isEmpty()) {
            return root.show(
                    replies,
                    () -> verbose ? StorageView.formatVerbose(replies) : StorageView.format(replies),
                    () -> StorageView.formatJson(replies));
        }
        return formatFailed(replies, failures, verbose);
    }

    private int formatFailed(
            HostReplies<StorageFormatReply> replies, Map<String, List<FormatResultMessage>> failures, boolean verbose) {
        FormatResultMessage first = failures.values().iterator().next().get(0);
        Fault fault = Fault.of(
                        FaultCode.of(first.getStatus()).orElse(FaultCode.MISC),
                        "format failed on %d of %d hosts: %s",
                        failures.size() + replies.errors().size(),
                        replies.hosts().size(),
                        first.getMessage().replaceFirst("^DER_[A-Z0-9_]+\\(-[0-9]+\\): ", ""))
                .remedy("correct what each host says, then format again");
        if (root.json) {
            root.answer(Json.failure(StorageView.formatJson(replies), fault));
            return root.complain(fault);
        }
        Map<String, List<String>> hostsByText = new TreeMap<>();
        failures.forEach((host, all) -> all.forEach(r -> hostsByText
                .computeIfAbsent(r.getMessage(), t -> new java.util.ArrayList<>())
                .add(host)));
        replies.errorGroups().forEach(hostsByText::put);
        TextTable table = new TextTable("Hosts", "Error");
        hostsByText.forEach((text, hosts) -> table.row(replies.display(hosts), text));
        root.err.print("Errors:\n" + table.render().indent(2) + "\n");
        root.say(verbose ? StorageView.formatVerbose(replies) : StorageView.format(replies));
        return root.complain(fault);
    }

    /** {@code dmg storage query}. */
    @Command(name = "query", description = "Questions about storage in use")
    static final class Query {
        @ParentCommand
        DmgStorage storage = new DmgStorage();

        @Command(name = "usage", description = "Space of the hosts")
        int usage(@Option(names = "--show-usable", hidden = true, description = "no effect") boolean usable) {
            DmgRoot root = storage.root;
            HostReplies<StorageUsageReply> replies = root.calls().storageUsage(root.hosts());
            return root.show(replies, () -> StorageView.usage(replies), () -> StorageView.usageJson(replies));
        }

        @Command(name = "list-devices", description = "Devices that DAOS uses")
        int listDevices(
                @Option(
                                names = {"-r", "--rank"},
                                paramLabel = "RANK",
                                description = "only of this rank")
                        @Nullable
                        Integer rank,
                @Option(
                                names = {"-b", "--health"},
                                description = "with their health")
                        boolean health,
                @Option(
                                names = {"-u", "--uuid"},
                                paramLabel = "UUID",
                                description = "only this one")
                        @Nullable
                        String uuid,
                @Option(
                                names = {"-e", "--show-evicted"},
                                description = "only evicted ones")
                        boolean evicted) {
            return new DmgDevices(storage.root).list(rank, uuid == null ? "" : uuid, health, evicted);
        }

        @Command(name = "device-health", description = "Health of one device")
        int deviceHealth(
                @Option(
                                names = {"-u", "--uuid"},
                                required = true,
                                paramLabel = "UUID",
                                description = "the device")
                        String uuid) {
            return new DmgDevices(storage.root).health(uuid);
        }

        @Command(name = "target-health", description = "Health of the device below a target")
        int targetHealth(
                @Option(
                                names = {"-r", "--rank"},
                                required = true,
                                paramLabel = "RANK",
                                description = "rank")
                        int rank,
                @Option(
                                names = {"-t", "--tgtid"},
                                required = true,
                                paramLabel = "TARGET",
                                description = "target")
                        int target) {
            return new DmgDevices(storage.root).targetHealth(rank, target);
        }

        @Command(name = "list-pools", description = "Pools on the devices")
        int listPools(
                @Option(
                                names = {"-r", "--rank"},
                                paramLabel = "RANK",
                                description = "only of this rank")
                        @Nullable
                        Integer rank,
                @Option(
                                names = {"-u", "--uuid"},
                                paramLabel = "UUID",
                                description = "only this pool")
                        @Nullable
                        String uuid,
                @Option(
                                names = {"-v", "--verbose"},
                                description = "with blob numbers")
                        boolean verbose) {
            return new DmgDevices(storage.root).pools(rank, uuid == null ? "" : uuid, verbose);
        }
    }

    /** {@code dmg storage led}. */
    @Command(name = "led", description = "Status lights")
    static final class Led {
        @ParentCommand
        DmgStorage storage = new DmgStorage();

        @Command(name = "identify", description = "Let lights blink")
        int identify(
                @picocli.CommandLine.Parameters(
                                paramLabel = "ID",
                                arity = "0..*",
                                description = "UUIDs or addresses, none = all")
                        @Nullable
                        List<String> ids,
                @Option(names = "--timeout", paramLabel = "MINUTES", description = "default 2") @Nullable
                        Integer minutes,
                @Option(names = "--reset", description = "switch the lights off") boolean reset) {
            return new DmgDevices(storage.root).led(split(ids), reset ? 2 : 1, minutes == null ? 0 : minutes);
        }

        @Command(name = "check", description = "States of lights")
        int check(
                @picocli.CommandLine.Parameters(
                                paramLabel = "ID",
                                arity = "0..*",
                                description = "UUIDs or addresses, none = all")
                        @Nullable
                        List<String> ids) {
            return new DmgDevices(storage.root).led(split(ids), 0, 0);
        }

        static List<String> split(@Nullable List<String> ids) {
            if (ids == null) return List.of();
            return ids.stream()
                    .flatMap(i -> List.of(i.split(",")).stream())
                    .filter(i -> !i.isBlank())
                    .toList();
        }
    }

    /** {@code dmg storage identify}, the spelling of DAOS 2.0. */
    @Command(name = "identify", description = "Find a device by its light")
    static final class Identify {
        @ParentCommand
        DmgStorage storage = new DmgStorage();

        @Command(name = "vmd", description = "Let the light of a device behind VMD blink")
        int vmd(
                @Option(
                                names = {"-u", "--uuid"},
                                required = true,
                                paramLabel = "UUID",
                                description = "the device")
                        String uuid) {
            return new DmgDevices(storage.root).led(List.of(uuid), 1, 0);
        }
    }

    /** {@code dmg storage set}. */
    @Command(name = "set", description = "Change the state of devices")
    static final class SetState {
        @ParentCommand
        DmgStorage storage = new DmgStorage();

        @Command(name = "nvme-faulty", description = "Evict a device")
        int nvmeFaulty(
                @Option(
                                names = {"-u", "--uuid"},
                                required = true,
                                paramLabel = "UUID",
                                description = "the device")
                        String uuid,
                @Option(
                                names = {"-f", "--force"},
                                description = "do not ask")
                        boolean force,
                @Option(names = "--host", paramLabel = "HOST", description = "the host it is in") @Nullable
                        String host) {
            if (host != null) storage.root.hostList = host;
            return new DmgDevices(storage.root).setFaulty(uuid, force);
        }
    }

    /** {@code dmg storage replace}. */
    @Command(name = "replace", description = "Put devices in the place of others")
    static final class Replace {
        @ParentCommand
        DmgStorage storage = new DmgStorage();

        @Command(name = "nvme", description = "Put a NEW device in the place of an EVICTED one, or use that again")
        int nvme(
                @Option(names = "--old-uuid", required = true, paramLabel = "UUID", description = "the evicted device")
                        String oldUuid,
                @Option(
                                names = "--new-uuid",
                                required = true,
                                paramLabel = "UUID",
                                description = "the new device; the same: use it again")
                        String newUuid,
                @Option(names = "--no-reint", description = "not currently implemented") boolean noReint,
                @Option(names = "--host", paramLabel = "HOST", description = "the host they are in") @Nullable
                        String host) {
            if (host != null) storage.root.hostList = host;
            return new DmgDevices(storage.root).replace(oldUuid, newUuid, noReint);
        }
    }
}
