package io.daosmesh.transport.tls;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.netty.handler.ssl.SslContext;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificates in use, replaced when their files change. What is new is checked first; while it is bad the old stays in
 * use. Connections made from then on use the new, those that are open go on. Owner: its own thread; readers: any.
 */
public final class LiveTls implements MetricSource, AutoCloseable {
    /** Reading four small files costs microseconds, and nobody waits for a new certificate by the second. */
    public static final Duration PERIOD = Duration.ofSeconds(2);

    /** Handshakes that began with the old ones have ended by then. */
    private static final int SWEEPS = 8;

    private static final int WATCHERS_MAX = 8;
    private static final Logger log = LoggerFactory.getLogger(LiveTls.class);

    private final NodeConfig.Tls tls;
    private final Role role;
    private final Consumer<TlsMaterial> extraCheck;
    private final ExpiryWatch expiry = new ExpiryWatch();
    private final List<Watcher> watchers = new CopyOnWriteArrayList<>();
    private volatile InUse inUse;
    private @Nullable ScheduledExecutorService thread;

    // what was seen last and cannot be used, and whether that has been told
    private @Nullable Seen bad;
    private boolean isBadTold;
    private int sweeps;

    private record InUse(TlsMaterial material, @Nullable SslContext server, SslContext client) {}

    /** Contents of the files, or why they cannot be had. */
    private record Seen(@Nullable TlsFiles files, @Nullable Fault fault) {
        boolean isSame(Seen other) {
            if (files != null) return other.files != null && files.isSame(other.files);
            return fault != null && other.fault != null && fault.text().equals(other.fault.text());
        }
    }

    /** Hears what happens to the certificates; on the watching thread. */
    public interface Watcher {
        default void onReplaced(TlsMaterial now) {}

        /** The files hold something that cannot be used; told once. */
        default void onRefused(Fault why) {}

        /** @param which own, ca or crl */
        default void onExpiring(String which, Instant at) {}

        default void onRevoked(Sweep sweep) {}
    }

    private LiveTls(NodeConfig.Tls tls, Role role, TlsMaterial first, Consumer<TlsMaterial> extraCheck) {
        this.tls = tls;
        this.role = role;
        this.extraCheck = extraCheck;
        this.inUse = use(first);
    }

    /** NO_CERT or BAD_CERT. @param extraCheck throws a fault for what is of no use here */
    public static LiveTls load(NodeConfig.Tls tls, Role role, Consumer<TlsMaterial> extraCheck) {
        TlsMaterial first = TlsMaterial.load(tls, role);
        extraCheck.accept(first);
        return new LiveTls(tls, role, first, extraCheck);
    }

    /** Without {@link TlsMaterial#check}, for who is in a hurry. */
    public static LiveTls read(NodeConfig.Tls tls, Role role) {
        return new LiveTls(tls, role, TlsMaterial.read(tls, role), m -> {});
    }

    private InUse use(TlsMaterial m) {
        return new InUse(m, role == Role.SERVER ? m.serverContext() : null, m.clientContext());
    }

    /** For a connection to be accepted now. */
    public SslContext server() {
        SslContext server = inUse.server();
        if (server == null) throw new IllegalStateException(role + " accepts no connections");
        return server;
    }

    /** For a connection to be opened now. */
    public SslContext client() {
        return inUse.client();
    }

    public TlsMaterial material() {
        return inUse.material();
    }

    public AutoCloseable listen(Watcher watcher) {
        if (watchers.size() >= WATCHERS_MAX) throw new IllegalStateException("too many watchers of certificates");
        watchers.add(watcher);
        return () -> watchers.remove(watcher);
    }

    /** Looks at the files from now on until closed. */
    public void watch(Duration period) {
        ScheduledExecutorService t = Executors.newSingleThreadScheduledExecutor(r -> {
            Thread named = new Thread(r, "daos-certificates");
            named.setDaemon(true);
            return named;
        });
        thread = t;
        t.scheduleWithFixedDelay(this::pollSafely, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void pollSafely() {
        try {
            poll(Instant.now());
        } catch (RuntimeException e) {
            log.error("certificates cannot be watched", e);
        }
    }

    /**
     * Files that belong together change one after the other: what cannot be used is told only when it is still the same at the
     * next look.
     */
    void poll(Instant now) {
        Seen seen = look();
        TlsMaterial old = inUse.material();
        if (seen.files() != null && seen.files().isSame(old.files())) {
            bad = null;
        } else {
            try {
                replace(old, parsed(seen));
                bad = null;
            } catch (FaultException e) {
                refuse(seen, e.fault());
            }
        }
        for (ExpiryWatch.Warning w : expiry.onTick(now, material().ends())) {
            log.warn("certificate ({}) of this {} ends on {}", w.which(), Roles.label(role), w.at());
            watchers.forEach(x -> x.onExpiring(w.which(), w.at()));
        }
        if (sweeps > 0) {
            sweeps--;
            watchers.forEach(x -> x.onRevoked(new Sweep(material().revocations(), false)));
        }
    }

    private Seen look() {
        try {
            return new Seen(TlsFiles.read(tls, role), null);
        } catch (FaultException e) {
            return new Seen(null, e.fault());
        }
    }

    private TlsMaterial parsed(Seen seen) {
        if (seen.fault() != null) throw seen.fault().asException();
        TlsFiles files = seen.files();
        if (files == null) throw new IllegalStateException("neither files nor a fault");
        TlsMaterial material = TlsMaterial.parse(files, role);
        material.check();
        extraCheck.accept(material);
        return material;
    }

    private void replace(TlsMaterial old, TlsMaterial now) {
        inUse = use(now);
        log.info(
                "new certificates in use: serial {}, ends {}",
                PeerCertificate.text(now.own().serial()),
                now.own().notAfter());
        watchers.forEach(w -> w.onReplaced(now));
        boolean isGrown = now.revocations().hasMoreThan(old.revocations());
        if (isGrown) sweeps = SWEEPS;
        if (isGrown) watchers.forEach(w -> w.onRevoked(new Sweep(now.revocations(), true)));
    }

    private void refuse(Seen seen, Fault why) {
        Seen before = bad;
        bad = seen;
        if (before == null || !before.isSame(seen)) {
            isBadTold = false;
            return;
        }
        if (isBadTold) return;
        isBadTold = true;
        log.error("new certificates are refused, the old stay in use: {}; {}", why.message(), why.remedy());
        watchers.forEach(w -> w.onRefused(why));
    }

    @Override
    public void collect(Sink sink) {
        material()
                .ends()
                .forEach((which, at) -> sink.gauge(
                        "certificate_expires_at",
                        "When the certificate, its authority, the revocation list ends, in Unix seconds",
                        Map.of("which", which),
                        at.getEpochSecond()));
    }

    @Override
    public void close() {
        if (thread != null) thread.shutdownNow();
    }
}
