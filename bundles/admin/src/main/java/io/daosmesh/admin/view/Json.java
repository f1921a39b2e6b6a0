package io.daosmesh.admin.view;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.text.Printable;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes maps, lists, texts, numbers and booleans as JSON, indented by two blanks. By hand, because a JSON library costs a
 * tool a tenth of a second at its start. Also the envelope of every answer: {@code response}, {@code error}, {@code status}.
 */
public final class Json {
    private Json() {}

    /** Ordered object out of key, value, key, value, ...; a null value is JSON's null. */
    public static Map<String, @Nullable Object> object(@Nullable Object... pairs) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put(String.valueOf(pairs[i]), pairs[i + 1]);
        return map;
    }

    public static String success(@Nullable Object response) {
        return write(object("response", response, "error", null, "status", 0)) + "\n";
    }

    /** Status is the negative DER number of the fault. */
    public static String failure(@Nullable Object response, Fault fault) {
        return write(object(
                        "response",
                        response,
                        "error",
                        fault.message(),
                        "status",
                        -fault.code().number())) + "\n";
    }

    /** For errors that are no fault of the system, such as wrong usage. */
    public static String failure(String text) {
        return write(object("response", null, "error", text, "status", -FaultCode.MISC.number())) + "\n";
    }

    public static String write(@Nullable Object value) {
        StringBuilder out = new StringBuilder();
        write(out, value, 0, true);
        return out.toString();
    }

    /** On one line, for streams of answers. */
    public static String writeLine(@Nullable Object value) {
        StringBuilder out = new StringBuilder();
        write(out, value, 0, false);
        return out.toString();
    }

    private static void write(StringBuilder out, @Nullable Object value, int depth, boolean pretty) {
        if (value instanceof Map<?, ?> map) {
            Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
            out.append('{');
            while (entries.hasNext()) {
                Map.Entry<?, ?> entry = entries.next();
                indent(out, depth + 1, pretty);
                text(out, String.valueOf(entry.getKey()));
                out.append(pretty ? ": " : ":");
                write(out, entry.getValue(), depth + 1, pretty);
                if (entries.hasNext()) out.append(',');
            }
            if (!map.isEmpty()) indent(out, depth, pretty);
            out.append('}');
        } else if (value instanceof Iterable<?> list) {
            Iterator<?> items = list.iterator();
            boolean empty = !items.hasNext();
            out.append('[');
            while (items.hasNext()) {
                indent(out, depth + 1, pretty);
                write(out, items.next(), depth + 1, pretty);
                if (items.hasNext()) out.append(',');
            }
            if (!empty) indent(out, depth, pretty);
            out.append(']');
        } else {
            scalar(out, value);
        }
    }

    private static void scalar(StringBuilder out, @Nullable Object value) {
        if (value == null) {
            out.append("null");
        } else if (value instanceof Double d) {
            out.append(d.isNaN() || d.isInfinite() ? "null" : number(d));
        } else if (value instanceof Number || value instanceof Boolean) {
            out.append(value);
        } else {
            text(out, value.toString());
        }
    }

    /** Whole numbers without a fraction. */
    static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    private static void indent(StringBuilder out, int depth, boolean pretty) {
        if (pretty) out.append('\n').append("  ".repeat(depth));
    }

    /** Also what is no text for a terminal goes by its number, which reads back as the same. */
    private static void text(StringBuilder out, String text) {
        out.append('"');
        text.codePoints().forEach(c -> {
            if (c == '"' || c == '\\') out.append('\\').append((char) c);
            else if (Printable.isPlain(c)) out.appendCodePoint(c);
            else Printable.append(out, c);
        });
        out.append('"');
    }

    /** Values as a list of rows for {@link #object}. */
    public static List<Object> list(Object... items) {
        return List.of(items);
    }
}
