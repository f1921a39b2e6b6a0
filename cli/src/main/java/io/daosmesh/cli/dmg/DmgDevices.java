package io.daosmesh.cli.dmg;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.view.DeviceView;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.LedRequest;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.ListDevicesRequest;
import io.daosmesh.model.wire.ListPoolsReply;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the commands about devices do. Owner: the main thread. */
final class DmgDevices {
    private final DmgRoot root;

    DmgDevices(DmgRoot root) {
        this.root = root;
    }

    int list(@Nullable Integer rank, String uuid, boolean health, boolean evicted) {
        ListDevicesRequest.Builder request = ListDevicesRequest.newBuilder().setHealth(health);
        if (!uuid.isEmpty()) request.setUuid(uuid(uuid));
        if (rank != null) request.addRanks(rank);
        HostReplies<ListDevicesReply> replies = root.calls().devices(root.hosts(), request.build());
        boolean narrow = rank != null || !uuid.isEmpty() || evicted;
        HostReplies<ListDevicesReply> shown =
                filter(replies, d -> !evicted || d.getState().equals("EVICTED"), narrow);
        return root.show(shown, () -> orNothing(DeviceView.list(shown, health)), () -> DeviceView.listJson(shown));
    }

    int health(String uuid) {
        ListDevicesRequest request = ListDevicesRequest.newBuilder()
                .setHealth(true)
                .setUuid(uuid(uuid))
                .build();
        return showFound(filter(root.calls().devices(root.hosts(), request), d -> true, true), "device " + uuid);
    }

    int targetHealth(int rank, int target) {
        ListDevicesRequest request =
                ListDevicesRequest.newBuilder().setHealth(true).addRanks(rank).build();
        return showFound(
                filter(
                        root.calls().devices(root.hosts(), request),
                        d -> d.getTargetsList().contains(target),
                        true),
                "device below target " + target + " of rank " + rank);
    }

    int pools(@Nullable Integer rank, String uuid, boolean verbose) {
        String wanted = uuid.isEmpty() ? "" : uuid(uuid);
        HostReplies<ListPoolsReply> all = root.calls().devicePools(root.hosts());
        Map<String, ListPoolsReply> kept = new LinkedHashMap<>();
        all.replies()
                .forEach((host, reply) -> kept.put(
                        host,
                        reply.toBuilder()
                                .clearPools()
                                .addAllPools(reply.getPoolsList().stream()
                                        .filter(p -> rank == null || p.getRank() == rank)
                                        .filter(p -> wanted.isEmpty()
                                                || Ids.uuid(p.getPool())
                                                        .toString()
                                                        .equals(wanted))
                                        .toList())
                                .build()));
        HostReplies<ListPoolsReply> shown = all.withReplies(kept);
        return root.show(shown, () -> DeviceView.pools(shown, verbose), () -> DeviceView.poolsJson(shown));
    }

    /** @param action 0 check, 1 identify, 2 reset */
    int led(List<String> ids, int action, int minutes) {
        LedRequest.Builder request = LedRequest.newBuilder().setAction(action).setTimeoutMinutes(minutes);
        if (ids.isEmpty()) return showLights(root.calls().led(root.hosts(), request.build()));
        Map<String, List<String>> byHost = new LinkedHashMap<>();
        for (String id : ids) {
            byHost.computeIfAbsent(hostOf(id), h -> new ArrayList<>()).add(id);
        }
        Map<String, ListDevicesReply> replies = new LinkedHashMap<>();
        Map<String, Fault> errors = new LinkedHashMap<>();
        byHost.forEach((host, own) -> {
            HostReplies<ListDevicesReply> one = root.calls()
                    .led(List.of(host), request.clone().addAllIds(own).build());
            replies.putAll(one.replies());
            errors.putAll(one.errors());
        });
        return showLights(new HostReplies<>(replies, errors, root.hosts()));
    }

    /** DAOS tells about a device without VMD in a line of its own. */
    private int showLights(HostReplies<ListDevicesReply> replies) {
        boolean noLight = replies.errors().values().stream().anyMatch(f -> f.code() == FaultCode.NOSYS) && !root.json;
        if (!noLight) return root.show(replies, () -> DeviceView.lights(replies), () -> DeviceView.listJson(replies));
        root.say(replies.replies().isEmpty() ? "" : DeviceView.lights(replies));
        replies.errors()
                .forEach((host, fault) -> root.error(HostList.name(host) + " DAOS error (-"
                        + fault.code().number() + "): DER_" + fault.code().name()));
        return 1;
    }

    int setFaulty(String uuid, boolean force) {
        String host = hostOf(uuid(uuid));
        if (!force && !root.json) {
            root.err.println("NOTICE: This command will permanently mark the device as unusable!");
            String answer = root.ask("Are you sure you want to continue? (yes/no) ", root.err);
            if (answer == null || !answer.trim().matches("yes|y"))
                throw Fault.of(FaultCode.CANCELED, "consent not given").asException();
        }
        HostReplies<ListDevicesReply> replies = root.calls().setFaulty(List.of(host), uuid(uuid));
        return root.show(replies, () -> DeviceView.changed(replies), () -> DeviceView.listJson(replies));
    }

    int replace(String oldUuid, String newUuid, boolean noReint) {
        String old = uuid(oldUuid);
        String next = uuid(newUuid);
        if (noReint)
            throw Fault.of(FaultCode.NOTSUPPORTED, "NoReint is not currently implemented")
                    .remedy("leave --no-reint away: the targets come back into their pools by themselves")
                    .asException();
        if (old.equals(next)) root.err.println("NOTICE: Attempting to reuse a previously set FAULTY device!");
        String host = hostOf(old);
        String other = hostOf(next);
        if (!host.equals(other))
            throw Fault.of(FaultCode.INVAL, "device %s is in %s, device %s in %s", old, host, next, other)
                    .remedy("a device is replaced by a NEW one of the same engine")
                    .asException();
        HostReplies<ListDevicesReply> replies = root.calls().replaceDevice(List.of(host), old, next);
        return root.show(replies, () -> DeviceView.changed(replies), () -> DeviceView.listJson(replies));
    }

    /** The host that has a device, by UUID or address; DER_NONEXIST, or why a host that may have it has not said so. */
    private String hostOf(String id) {
        HostReplies<ListDevicesReply> all = root.calls().devices(root.hosts(), ListDevicesRequest.getDefaultInstance());
        for (Map.Entry<String, ListDevicesReply> entry : all.replies().entrySet()) {
            for (DeviceInfoMessage d : entry.getValue().getDevicesList()) {
                boolean named = d.getUuid().size() == 16
                        && Ids.uuid(d.getUuid()).toString().equalsIgnoreCase(id);
                if (named || d.getAddress().equals(id)) return entry.getKey();
            }
        }
        if (!all.errors().isEmpty()) {
            Fault first = all.errors().values().iterator().next();
            List<String> silent = List.copyOf(all.errors().keySet());
            throw Fault.of(first.code(), "device %s may be in %s, which did not answer", id, all.display(silent))
                    .remedy("see dmg system query, and run the command again when all hosts answer")
                    .asException();
        }
        throw Fault.of(FaultCode.NONEXIST, "no host has a device %s", id)
                .remedy("see dmg storage query list-devices")
                .asException();
    }

    private int showFound(HostReplies<ListDevicesReply> found, String what) {
        if (found.replies().isEmpty() && found.errors().isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "no host has a %s", what)
                    .remedy("see dmg storage query list-devices")
                    .asException();
        }
        return root.show(found, () -> DeviceView.list(found, true), () -> DeviceView.listJson(found));
    }

    /** @param dropEmpty hosts without any such device are left out */
    private static HostReplies<ListDevicesReply> filter(
            HostReplies<ListDevicesReply> all, Predicate<DeviceInfoMessage> wanted, boolean dropEmpty) {
        Map<String, ListDevicesReply> kept = new LinkedHashMap<>();
        all.replies().forEach((host, reply) -> {
            List<DeviceInfoMessage> devices =
                    reply.getDevicesList().stream().filter(wanted).toList();
            if (dropEmpty && devices.isEmpty()) return;
            kept.put(
                    host,
                    reply.toBuilder().clearDevices().addAllDevices(devices).build());
        });
        return all.withReplies(kept);
    }

    private static String orNothing(String text) {
        return text.isEmpty() ? "No devices found\n" : text;
    }

    /** Lower case; DER_INVAL for what is no UUID. */
    static String uuid(String text) {
        try {
            if (text.length() == 36) return UUID.fromString(text).toString();
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw Fault.of(FaultCode.INVAL, "'%s' is not a UUID", text).asException();
    }
}
