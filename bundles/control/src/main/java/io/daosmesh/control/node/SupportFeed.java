package io.daosmesh.control.node;

import com.google.protobuf.Message;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.machine.Machine;
import io.daosmesh.model.machine.Sysfs;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.support.SupportFiles;
import io.daosmesh.model.support.SupportItem;
import io.daosmesh.model.support.SupportReader;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.SupportRequest;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;

/**
 * What this node hands out for a look at a problem: logs, configuration, states, threads. Read as the caller asks for it, on the control
 * scheduler. Two at a time: each reads the disk. Any thread.
 */
final class SupportFeed {
    private static final int AT_ONCE_MAX = 2;
    private static final Duration DEVICES_MAX = Duration.ofSeconds(10);
    private static final int THREADS_MAX = 2000;

    private final NodeConfig config;
    private final Devices devices;
    private final BundleContext context;
    private final Supplier<Optional<Maps>> maps;
    private final Scheduler scheduler;
    private final java.util.concurrent.Semaphore turns = new java.util.concurrent.Semaphore(AT_ONCE_MAX);

    SupportFeed(
            NodeConfig config,
            Devices devices,
            BundleContext context,
            Supplier<Optional<Maps>> maps,
            Scheduler scheduler) {
        this.config = config;
        this.devices = devices;
        this.context = context;
        this.maps = maps;
        this.scheduler = scheduler;
    }

    /** BUSY while two others are at it, NO_PERM for a folder that holds no logs of this machine. */
    Flux<RpcMessage> parts(SupportRequest request, Supplier<NodeStatusReply> status) {
        return Flux.<RpcMessage, SupportReader>generate(
                        () -> open(request, status),
                        (reader, sink) -> {
                            if (reader.hasNext()) sink.next(RpcMessage.of(reader.next()));
                            else sink.complete();
                            return reader;
                        },
                        reader -> {
                            reader.close();
                            turns.release();
                        })
                .subscribeOn(scheduler);
    }

    private SupportReader open(SupportRequest request, Supplier<NodeStatusReply> status) {
        List<SupportItem> items = items(request, status);
        if (turns.tryAcquire()) return new SupportReader(items);
        throw Fault.of(FaultCode.BUSY, "%d others collect from this node", AT_ONCE_MAX)
                .remedy("try again when they are done")
                .asException();
    }

    private List<SupportItem> items(SupportRequest request, Supplier<NodeStatusReply> status) {
        List<SupportItem> items = new ArrayList<>();
        items.add(SupportItem.of("version.txt", () -> version(status.get().getRelease())));
        items.add(SupportItem.of("state/node.txt", () -> status.get().toString()));
        items.add(SupportItem.of(
                "state/devices.txt", () -> lines(devices.all(true).block(DEVICES_MAX))));
        items.add(SupportItem.of("state/scm.txt", () -> lines(devices.scm().block(DEVICES_MAX))));
        items.add(SupportItem.of("state/pools.txt", () -> lines(devices.pools())));
        items.add(SupportItem.of("state/drivers.txt", () -> lines(devices.drivers())));
        items.add(SupportItem.of("state/members.txt", this::members));
        items.add(SupportItem.of("state/bundles.txt", this::bundles));
        items.add(SupportItem.of("state/threads.txt", SupportFeed::threads));
        items.add(SupportItem.of(
                "state/machine.txt",
                () -> Machine.scan(Sysfs.ofThisMachine(), config.address()).toString()));
        items.add(SupportItem.of("config/active.txt", config::toString));
        String file = System.getProperty("daosmesh.server.config", "");
        if (!file.isEmpty()) {
            items.add(SupportItem.of("config/daos_server.yml", () -> SupportFiles.config(Path.of(file))));
        }
        items.addAll(SupportFiles.of(logs(), "log"));
        if (!request.getExtraFolder().isEmpty()) {
            items.addAll(SupportFiles.of(allowed(request.getExtraFolder()), "extra"));
        }
        return items;
    }

    private static Path logs() {
        return Path.of(System.getProperty("karaf.log", "log"));
    }

    /** Whoever administers the system does not thereby read every file of its machines. */
    private static Path allowed(String text) {
        Path folder = Path.of(text);
        try {
            Path real = folder.toRealPath();
            Path data =
                    Path.of(System.getProperty("daosmesh.node.dir", "/var/log")).toRealPath();
            if (folder.isAbsolute() && (real.startsWith("/var/log") || real.startsWith(data.resolve("log"))))
                return real;
        } catch (IOException e) {
            throw Fault.of(FaultCode.NONEXIST, "there is no folder %s", text).asException();
        }
        throw Fault.of(FaultCode.NO_PERM, "%s is not in /var/log and not in the log folder of the node", text)
                .remedy("copy those files by other means, or let the program that writes them log below /var/log")
                .asException();
    }

    private static String version(String release) {
        return "release " + release + "\njava " + System.getProperty("java.vm.version") + "\nos "
                + System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch") + "\ncollected " + OffsetDateTime.now() + "\nup "
                + Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime()) + "\nheap "
                + ManagementFactory.getMemoryMXBean().getHeapMemoryUsage() + "\narguments "
                + String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()) + "\n";
    }

    private String members() {
        return maps.get()
                .map(m -> m.groupMap().system() + " version " + m.groupMap().version() + "\n"
                        + String.join(
                                "\n",
                                m.groupMap().members().stream()
                                        .map(Object::toString)
                                        .toList())
                        + "\n")
                .orElse("management is absent\n");
    }

    private String bundles() {
        StringBuilder out = new StringBuilder();
        for (Bundle b : context.getBundles()) {
            out.append(b.getBundleId() + " " + b.getState() + " " + b.getSymbolicName() + " " + b.getVersion() + "\n");
        }
        return out.toString();
    }

    private static String threads() {
        StringBuilder out = new StringBuilder();
        ThreadInfo[] all = ManagementFactory.getThreadMXBean().dumpAllThreads(true, true);
        for (int i = 0; i < Math.min(THREADS_MAX, all.length); i++) {
            if (all[i] == null) continue;
            out.append('"').append(all[i].getThreadName()).append("\" ").append(all[i].getThreadState());
            if (all[i].getLockName() != null) out.append(" on ").append(all[i].getLockName());
            out.append('\n');
            for (StackTraceElement at : all[i].getStackTrace())
                out.append("    at ").append(at).append('\n');
        }
        return out.toString();
    }

    private static String lines(java.util.@org.jspecify.annotations.Nullable List<? extends Message> all) {
        if (all == null) return "";
        return String.join("\n", all.stream().map(Object::toString).toList());
    }
}
