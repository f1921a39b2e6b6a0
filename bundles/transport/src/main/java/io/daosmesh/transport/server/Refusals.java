package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the log who was refused and why: once, then at most once a minute with a count, so that nobody can push out with refusals what
 * else the log says. Any thread.
 */
final class Refusals {
    /** Kinds of refusals remembered; a stranger chooses its address, so there may be any number of them. */
    static final int KINDS_MAX = 256;

    static final long AGAIN_NS = 60_000_000_000L;
    private static final int TEXT_MAX = 200;
    private static final Logger log = LoggerFactory.getLogger(Refusals.class);

    private final LongSupplier nowNs;
    private final Map<String, Kind> kinds = new LinkedHashMap<>();

    private static final class Kind {
        long count;
        long saidNs;
    }

    Refusals(LongSupplier nowNs) {
        this.nowNs = nowNs;
    }

    void tell(InetAddress from, Fault why) {
        String line = line(from.getHostAddress() + " " + why.code(), why.message());
        if (!line.isEmpty()) log.warn("refused connection of {}: {}", from.getHostAddress(), line);
    }

    /** Empty while it need not be said again; visible to tests. */
    synchronized String line(String kind, String text) {
        long now = nowNs.getAsLong();
        boolean isNew = !kinds.containsKey(kind);
        if (isNew && kinds.size() >= KINDS_MAX) kinds.values().removeIf(k -> now - k.saidNs >= AGAIN_NS);
        Kind k = kinds.computeIfAbsent(kinds.size() >= KINDS_MAX && isNew ? "others" : kind, x -> new Kind());
        k.count++;
        boolean isFirst = k.saidNs == 0;
        if (!isFirst && now - k.saidNs < AGAIN_NS) return "";
        k.saidNs = now;
        long others = k.count - 1;
        k.count = 0;
        return plain(text) + (others > 0 ? " (and " + others + " more like it)" : "");
    }

    /** What a stranger wrote must neither end a line nor steer a terminal. */
    static String plain(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < Math.min(text.length(), TEXT_MAX); i++) {
            char c = text.charAt(i);
            plain.append(c >= ' ' && c < 0x7f ? c : '?');
        }
        return plain.append(text.length() > TEXT_MAX ? "..." : "").toString();
    }
}
