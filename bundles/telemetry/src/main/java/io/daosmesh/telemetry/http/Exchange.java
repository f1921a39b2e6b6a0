package io.daosmesh.telemetry.http;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpPrincipal;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** One request and its answer; the connection ends with it. Owner: the thread of the connection. */
final class Exchange extends HttpExchange {
    private final Socket socket;
    private final RequestHead head;
    private final Context context;
    private final LongConsumer onAnswer;
    private final Headers answerHeaders = new Headers();
    private final Map<String, Object> attributes = new ConcurrentHashMap<>();
    private InputStream requestBody = InputStream.nullInputStream();
    private @Nullable OutputStream answerBody;
    private @Nullable HttpPrincipal principal;
    private int status = -1;

    /** @param onAnswer told the length of the answer before its first byte */
    Exchange(Socket socket, RequestHead head, Context context, LongConsumer onAnswer) {
        this.socket = socket;
        this.head = head;
        this.context = context;
        this.onAnswer = onAnswer;
    }

    /** A status line without a body, for requests that are none. */
    static void refuse(Socket socket, int status) throws IOException {
        String text = "HTTP/1.1 " + status + " refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Lengths as the JDK's server has them: -1 no body, 0 as long as it gets. */
    @Override
    public void sendResponseHeaders(int code, long length) throws IOException {
        if (status >= 0) throw new IOException("answered already");
        status = code;
        onAnswer.accept(Math.max(0, length));
        answerHeaders.set("Connection", "close");
        if (length != 0) answerHeaders.set("Content-Length", Long.toString(Math.max(0, length)));
        StringBuilder text = new StringBuilder("HTTP/1.1 " + code + " \r\n");
        for (Map.Entry<String, List<String>> e : answerHeaders.entrySet()) {
            for (String value : e.getValue())
                text.append(e.getKey()).append(": ").append(value).append("\r\n");
        }
        OutputStream out = new BufferedOutputStream(socket.getOutputStream(), 16 * 1024);
        out.write(text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        if (length < 0) out.flush();
        answerBody = length < 0 ? OutputStream.nullOutputStream() : out;
    }

    @Override
    public OutputStream getResponseBody() {
        OutputStream out = answerBody;
        if (out == null) throw new IllegalStateException("no status sent yet");
        return out;
    }

    @Override
    public void close() {
        try {
            if (answerBody != null) answerBody.flush();
            socket.close();
        } catch (IOException e) {
            // the caller has left: nobody to tell
            return;
        }
    }

    void authenticated(HttpPrincipal caller) {
        principal = caller;
    }

    @Override
    public Headers getRequestHeaders() {
        return head.headers();
    }

    @Override
    public Headers getResponseHeaders() {
        return answerHeaders;
    }

    @Override
    public URI getRequestURI() {
        return head.target();
    }

    @Override
    public String getRequestMethod() {
        return head.method();
    }

    @Override
    public HttpContext getHttpContext() {
        return context;
    }

    @Override
    public InputStream getRequestBody() {
        return requestBody;
    }

    @Override
    public InetSocketAddress getRemoteAddress() {
        return (InetSocketAddress) socket.getRemoteSocketAddress();
    }

    @Override
    public InetSocketAddress getLocalAddress() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    @Override
    public int getResponseCode() {
        return status;
    }

    @Override
    public String getProtocol() {
        return head.version();
    }

    @Override
    public @Nullable Object getAttribute(String name) {
        return attributes.get(name);
    }

    @Override
    public void setAttribute(String name, Object value) {
        attributes.put(name, value);
    }

    @Override
    public void setStreams(@Nullable InputStream in, @Nullable OutputStream out) {
        if (in != null) requestBody = in;
        if (out != null) answerBody = out;
    }

    @Override
    public @Nullable HttpPrincipal getPrincipal() {
        return principal;
    }
}
