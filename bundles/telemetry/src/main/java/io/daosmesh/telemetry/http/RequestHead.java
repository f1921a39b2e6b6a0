package io.daosmesh.telemetry.http;

import com.sun.net.httpserver.Headers;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Request line and header fields (RFC 9112, sections 3 and 5), read strictly: what is unusual is refused, a body as well.
 * Immutable but for the headers.
 */
record RequestHead(String method, URI target, String version, Headers headers) {
    /** Request line, Host, Authorization and a few more: what Prometheus sends is below 1 KiB. */
    static final int BYTES_MAX = 8 * 1024;

    static final int FIELDS_MAX = 64;

    private static final Pattern LINE = Pattern.compile("([A-Z]{1,16}) (/[!-~]*) HTTP/([0-9]\\.[0-9])");
    private static final Pattern FIELD =
            Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}):[ \\t]*([\\t -~\\u0080-\\u00ff]*)");

    /** Returns after the empty line; what follows it is not looked at. EOFException when the caller leaves before it. */
    static RequestHead read(InputStream in) throws IOException {
        byte[] bytes = new byte[BYTES_MAX];
        int length = 0;
        int end = -1;
        while (end < 0) {
            if (length == BYTES_MAX) throw new BadRequest(431, "longer than " + BYTES_MAX + " bytes");
            int count = in.read(bytes, length, BYTES_MAX - length);
            if (count < 0) throw new EOFException("ended within its request");
            int from = Math.max(0, length - 3);
            length += count;
            // a caller that speaks TLS is told at once
            if (bytes[0] < 'A' || bytes[0] > 'Z') throw new BadRequest(400, "no request line");
            end = end(bytes, from, length);
        }
        return parse(new String(bytes, 0, end, StandardCharsets.ISO_8859_1));
    }

    private static int end(byte[] bytes, int from, int length) {
        for (int i = from; i + 3 < length; i++) {
            if (bytes[i] == '\r' && bytes[i + 1] == '\n' && bytes[i + 2] == '\r' && bytes[i + 3] == '\n') return i;
        }
        return -1;
    }

    private static RequestHead parse(String text) throws BadRequest {
        String[] lines = text.split("\r\n", -1);
        Matcher line = LINE.matcher(lines[0]);
        if (!line.matches()) throw new BadRequest(400, "no request line");
        if (!line.group(3).startsWith("1.")) throw new BadRequest(505, "another version of HTTP");
        if (lines.length - 1 > FIELDS_MAX) throw new BadRequest(431, "more than " + FIELDS_MAX + " fields");
        Headers headers = new Headers();
        for (int i = 1; i < lines.length; i++) {
            Matcher field = FIELD.matcher(lines[i]);
            if (!field.matches()) throw new BadRequest(400, "no header field");
            headers.add(field.group(1), field.group(2).strip());
        }
        if (headers.containsKey("Transfer-Encoding")) throw new BadRequest(413, "a body");
        for (String bodyBytes : headers.getOrDefault("Content-Length", java.util.List.of())) {
            if (!bodyBytes.equals("0")) throw new BadRequest(413, "a body");
        }
        try {
            return new RequestHead(line.group(1), new URI(line.group(2)), "HTTP/" + line.group(3), headers);
        } catch (URISyntaxException e) {
            throw new BadRequest(400, "no path");
        }
    }
}
