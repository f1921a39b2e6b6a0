package io.daosmesh.control.ras;

import io.daosmesh.model.ras.RasEvent.Severity;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;

/**
 * Sends lines to a syslog daemon over UDP, facility daemon (RFC 3164). Any thread: one datagram, never waits; a line that
 * cannot be sent is only in the node's log.
 */
final class Syslog implements AutoCloseable {
    private static final int DAEMON = 3;

    private final DatagramChannel channel;
    private final InetSocketAddress to;

    /** @param address {@code host:port} */
    Syslog(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        this.to = new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
        if (to.isUnresolved()) throw new IOException("host " + to.getHostString() + " is unknown");
        this.channel = DatagramChannel.open(
                to.getAddress().getAddress().length == 4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6);
        channel.configureBlocking(false);
    }

    void send(Severity severity, String line, long pid) throws IOException {
        String packet = "<" + priority(severity) + ">daos_server[" + pid + "]: " + line;
        channel.send(ByteBuffer.wrap(packet.getBytes(StandardCharsets.UTF_8)), to);
    }

    static int priority(Severity severity) {
        int level = switch (severity) {
            case ERROR -> 3;
            case WARNING -> 4;
            case NOTICE -> 5;
        };
        return DAEMON * 8 + level;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
