package io.daosmesh.control.ras;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends lines over UDP (RFC 3164): one datagram each. Any thread. */
final class SyslogUdp implements Syslog {
    private static final Logger LOG = LoggerFactory.getLogger(SyslogUdp.class);

    private final DatagramChannel channel;
    private final InetSocketAddress to;

    SyslogUdp(String host, int port) throws IOException {
        this.to = new InetSocketAddress(host, port);
        if (to.isUnresolved()) throw new IOException("host " + to.getHostString() + " is unknown");
        this.channel = DatagramChannel.open(
                to.getAddress().getAddress().length == 4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6);
        channel.configureBlocking(false);
    }

    @Override
    public void send(Line line) {
        String packet = "<" + line.priority() + ">daos_server[" + line.pid() + "]: " + line.text();
        try {
            channel.send(ByteBuffer.wrap(packet.getBytes(StandardCharsets.UTF_8)), to);
        } catch (IOException e) {
            LOG.debug("syslog: {}", e.toString());
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("syslog: {}", e.toString());
        }
    }
}
