package io.daosmesh.model.fuzz;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Feeds a reader with damaged inputs: each is accepted, or refused with a fault that says what is wrong, in a moment and with
 * little memory. System properties: {@code fuzz.runs}, inputs for each reader; {@code fuzz.seed}. Owner: the test.
 */
public final class Fuzz {
    private static final int RUNS_USUAL = Integer.getInteger("fuzz.runs", 80);
    private static final long SEED = Long.getLong("fuzz.seed", 1);

    /** Of the processor, so that a busy machine is not taken for a slow reader. */
    private static final long CPU_MAX_NS = 1_000_000_000L;

    private static final long HANGS_S = 30;
    private static final long ALLOCATED_MAX = 256L << 20;
    private static final int SHOWN_MAX = 2000;

    private final String name;
    private final List<byte[]> good = new ArrayList<>();
    private List<String> words = List.of();

    /** Reads one input. */
    public interface Reader {
        void read(byte[] input) throws Exception;
    }

    private Fuzz(String name) {
        this.name = name;
    }

    /** @param name of what is read, for the report of a failure */
    public static Fuzz of(String name) {
        return new Fuzz(name);
    }

    /** Inputs that the reader accepts. */
    public Fuzz good(byte[]... inputs) {
        good.addAll(List.of(inputs));
        return this;
    }

    public Fuzz good(String text) {
        return good(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Pieces that mean something to the reader. */
    public Fuzz words(String... pieces) {
        words = List.of(pieces);
        return this;
    }

    /** How many inputs each reader gets. */
    public static int runs() {
        return RUNS_USUAL;
    }

    /** The damaged inputs of one run, for those who feed a reader themselves. */
    public byte[] input(int run) {
        // each run has a seed of its own, so that one is made again without those before it
        return new Mutator(SEED * 1_000_003 + run * 31L + name.hashCode(), good, words).next();
    }

    /** Fails for the first input that is neither accepted nor refused as it has to be. */
    public void run(Reader reader) throws InterruptedException {
        for (byte[] input : good) check(name + ", a good input", input, reader, false);
        for (int i = 0; i < RUNS_USUAL; i++) {
            check(name + ", -Dfuzz.seed=" + SEED + " run " + i, input(i), reader, true);
        }
    }

    /** One input that was trouble once. */
    public static void check(String what, byte[] input, Reader reader) throws InterruptedException {
        check(what, input, reader, true);
    }

    private static void check(String what, byte[] input, Reader reader, boolean mayRefuse) throws InterruptedException {
        byte[] kept = input.clone();
        Supplier<String> shown = () -> what + "; input of " + kept.length + " bytes: "
                + HexFormat.of().formatHex(Arrays.copyOf(kept, Math.min(kept.length, SHOWN_MAX))) + "; as text: "
                + new String(kept, 0, Math.min(kept.length, SHOWN_MAX), StandardCharsets.ISO_8859_1);
        FutureTask<Cost> task = new FutureTask<>(() -> read(input, reader));
        Thread thread = new Thread(task, "fuzz");
        thread.setDaemon(true);
        thread.start();
        try {
            Cost cost = task.get(HANGS_S, TimeUnit.SECONDS);
            if (cost.cpuNs > CPU_MAX_NS) throw new AssertionError("took " + cost + ": " + shown.get());
            if (cost.bytes > ALLOCATED_MAX) throw new AssertionError("took " + cost + ": " + shown.get());
        } catch (TimeoutException e) {
            AssertionError hangs = new AssertionError("hangs: " + shown.get());
            hangs.setStackTrace(thread.getStackTrace());
            throw hangs;
        } catch (ExecutionException e) {
            Throwable t = e.getCause();
            boolean isClear =
                    t instanceof FaultException f && f.code() != FaultCode.MISC && f.code() != FaultCode.UNKNOWN;
            if (!isClear || !mayRefuse) throw new AssertionError(t + ": " + shown.get(), t);
        }
    }

    private record Cost(long cpuNs, long bytes) {}

    private static Cost read(byte[] input, Reader reader) throws Exception {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().getId();
        long bytes = threads.getThreadAllocatedBytes(id);
        long cpuNs = threads.getCurrentThreadCpuTime();
        try {
            reader.read(input);
        } catch (FaultException e) {
            boolean isSlow = threads.getCurrentThreadCpuTime() - cpuNs > CPU_MAX_NS;
            if (!isSlow) throw e;
        }
        return new Cost(threads.getCurrentThreadCpuTime() - cpuNs, threads.getThreadAllocatedBytes(id) - bytes);
    }
}
