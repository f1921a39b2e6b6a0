package io.daosmesh.cli.start;

import io.daosmesh.transport.ClientTransport;
import java.util.List;
import java.util.Set;
import org.slf4j.LoggerFactory;

/** What makes a tool's start short: half of it is class initialisation, done beside the parsing of the command line. */
public final class WarmUp {
    private static final Set<String> LOCAL = Set.of("version", "--version", "-V", "-h", "--help", "help");

    private WarmUp() {}

    /** Called first in main. A call that will not connect needs none of it. */
    public static void begin(String... args) {
        if (args.length == 0 || List.of(args).stream().anyMatch(LOCAL::contains)) return;
        // before there are two threads: else logging tells on the terminal that both were early
        LoggerFactory.getILoggerFactory();
        Thread thread = new Thread(WarmUp::load, "warm-up");
        thread.setDaemon(true);
        thread.start();
    }

    private static void load() {
        ClientTransport.warmUpTls();
        ClientTransport.warmUpChannels();
    }
}
