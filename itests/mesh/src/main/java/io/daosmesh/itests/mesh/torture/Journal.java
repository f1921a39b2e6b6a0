package io.daosmesh.itests.mesh.torture;

import io.daosmesh.model.fault.FaultException;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** What happened in a run and when; said at once on standard error, and counted for the end. Any thread. */
public final class Journal {
    /** More of them tell nothing new; they are counted on. */
    private static final int SHOWN_MAX = 50;

    private final long startNs = System.nanoTime();
    private final Map<String, AtomicLong> faults = new ConcurrentSkipListMap<>();
    private final Map<String, AtomicLong> calls = new ConcurrentSkipListMap<>();
    private final Map<String, AtomicLong> failures = new ConcurrentSkipListMap<>();
    private final Map<String, AtomicLong> longestMs = new ConcurrentSkipListMap<>();
    private final List<String> violations = new CopyOnWriteArrayList<>();
    private final AtomicLong violationCount = new AtomicLong();
    private final AtomicLong failuresShown = new AtomicLong();
    private final AtomicReference<String> lastFault = new AtomicReference<>("none");

    /** Since the beginning. */
    public long nowMs() {
        return (System.nanoTime() - startNs) / 1_000_000;
    }

    public void say(String format, Object... args) {
        System.err.printf(
                Locale.ROOT, "torture: %8.3f s  %s%n", nowMs() / 1e3, String.format(Locale.ROOT, format, args));
    }

    public void fault(String kind, String detail) {
        count(faults, kind);
        lastFault.set(String.format(Locale.ROOT, "%s %s at %.3f s", kind, detail, nowMs() / 1e3));
        say("%s %s", kind, detail);
    }

    /** A call that was answered. */
    public void done(String call, long tookMs) {
        count(calls, call);
        longestMs.computeIfAbsent(call, c -> new AtomicLong()).accumulateAndGet(tookMs, Math::max);
    }

    /** A call that was refused or not answered in time. */
    public void failed(String call, String code, String detail) {
        count(failures, call + " " + code);
        boolean isSurprising = !call.startsWith(Promise.SINGLE.objectClass() + " ");
        if (isSurprising && failuresShown.incrementAndGet() <= SHOWN_MAX) say("%s failed: %s", call, detail);
    }

    /** A client gives up long before anybody stops waiting for it: a call that does not even do that hangs. */
    public void failed(String call, RuntimeException e, String detail) {
        boolean isHung = String.valueOf(e.getMessage()).startsWith("Timeout on blocking read");
        if (isHung) violation("a call hangs: %s, %s", call, detail);
        failed(call, code(e), detail + e.getMessage());
    }

    private static String code(Throwable e) {
        return e instanceof FaultException f ? "DER_" + f.code() : e.getClass().getSimpleName();
    }

    public void violation(String format, Object... args) {
        String text = String.format(Locale.ROOT, "%.3f s  ", nowMs() / 1e3) + String.format(Locale.ROOT, format, args)
                + "; last fault: " + lastFault.get();
        if (violationCount.incrementAndGet() > SHOWN_MAX) return;
        violations.add(text);
        System.err.println("torture: VIOLATION at " + text);
    }

    private static void count(Map<String, AtomicLong> of, String what) {
        of.computeIfAbsent(what, w -> new AtomicLong()).incrementAndGet();
    }

    private static long sum(Map<String, AtomicLong> of) {
        return of.values().stream().mapToLong(AtomicLong::get).sum();
    }

    private static String list(Map<String, AtomicLong> of) {
        StringBuilder b = new StringBuilder().append(sum(of));
        of.forEach((what, n) -> b.append(String.format(Locale.ROOT, "%n  %-40s %d", what, n.get())));
        return b.toString();
    }

    public long violations() {
        return violationCount.get();
    }

    public List<String> violationsShown() {
        return Collections.unmodifiableList(violations);
    }

    public String summary() {
        return String.format(
                Locale.ROOT,
                "faults %s%noperations %s%nfailed calls %s%nlongest call in ms%s",
                list(faults),
                list(calls),
                list(failures),
                list(longestMs).replaceFirst("^[0-9]+", ""));
    }
}
