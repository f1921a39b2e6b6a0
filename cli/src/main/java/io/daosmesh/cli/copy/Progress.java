package io.daosmesh.cli.copy;

import java.io.Console;
import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/** A bar on a terminal, nothing elsewhere. Any thread. */
public final class Progress implements AutoCloseable {
    private final @Nullable ProgressBar bar;

    /**
     * @param isTerminal somebody watches
     * @param total bytes; unknown is not foreseen: the copy measures its source first
     */
    public Progress(boolean isTerminal, PrintStream err, long total) {
        bar = isTerminal
                ? new ProgressBarBuilder()
                        .setTaskName("copy")
                        .setInitialMax(total)
                        .setUnit(" MB", 1_000_000)
                        .setUpdateIntervalMillis((int) Duration.ofMillis(200).toMillis())
                        .showSpeed()
                        .setConsumer(new ConsoleProgressBarConsumer(err))
                        .build()
                : null;
    }

    public void add(long bytes) {
        if (bar != null) bar.stepBy(bytes);
    }

    @Override
    public void close() {
        if (bar != null) bar.close();
    }

    /** From JDK 22 on there is a console also where nobody sits; it knows whether somebody does. */
    public static boolean isTerminal() {
        Console console = System.console();
        if (console == null) return false;
        try {
            return (Boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException before22) {
            return true;
        }
    }
}
