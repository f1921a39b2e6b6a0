package io.daosmesh.telemetry;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Bare sockets that talk to the page from an address of the loopback network, all closed at the end. Owner: the test. */
final class Attackers implements AutoCloseable {
    private final int port;
    private final List<Socket> sockets = new ArrayList<>();

    Attackers(int port) {
        this.port = port;
    }

    Socket connect(String from) throws IOException {
        Socket socket = new Socket();
        sockets.add(socket);
        socket.setReceiveBufferSize(4096);
        socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
        socket.connect(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 5_000);
        socket.setSoTimeout(20_000);
        return socket;
    }

    /** Sends what the page still takes; the page may have hung up already. */
    Socket say(String from, String text) throws IOException {
        Socket socket = connect(from);
        try {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            return socket;
        }
        return socket;
    }

    /** What the page says until it hangs up, whichever way it does. */
    static String answer(Socket socket) throws IOException {
        StringBuilder text = new StringBuilder();
        byte[] bytes = new byte[1024];
        try {
            InputStream in = socket.getInputStream();
            for (int n = in.read(bytes); n >= 0; n = in.read(bytes))
                text.append(new String(bytes, 0, n, StandardCharsets.ISO_8859_1));
        } catch (java.net.SocketTimeoutException e) {
            throw new AssertionError("the page keeps the connection", e);
        } catch (IOException e) {
            return text.toString();
        }
        return text.toString();
    }

    List<Socket> all() {
        return List.copyOf(sockets);
    }

    @Override
    public void close() throws IOException {
        for (Socket socket : sockets) socket.close();
    }
}
