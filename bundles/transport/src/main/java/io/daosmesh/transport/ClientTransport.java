package io.daosmesh.transport;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.Rpc;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.transport.wire.Identity;

/**
 * The transport of a tool or an application in a plain JVM. Any thread. Close it before the process ends: with its event
 * loop still inside a native poll the JVM waits up to 300 ms at exit.
 */
public final class ClientTransport implements AutoCloseable {
    private final Machinery machinery;

    private ClientTransport(Machinery machinery) {
        this.machinery = machinery;
    }

    /** Connects nowhere yet. NO_CERT or BAD_CERT when its certificates cannot be used. */
    public static ClientTransport open(ClientSettings settings) {
        Identity identity = new Identity(settings.role(), settings.system(), "");
        return new ClientTransport(new Machinery(identity, settings.tls(), false, 1));
    }

    /** Loads the classes of a first connection; a tool calls it in a thread of its own while it reads its arguments. */
    public static void warmUp() {
        WarmUp.run();
    }

    public Rpc rpc() {
        return machinery.client;
    }

    public Hlc hlc() {
        return machinery.hlc;
    }

    public MetricSource metrics() {
        return machinery.counters;
    }

    @Override
    public void close() {
        machinery.close(0);
    }
}
