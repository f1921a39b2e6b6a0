package io.daosmesh.admin.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.daosmesh.admin.HostReplies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.RankResultMessage;
import io.daosmesh.model.wire.RasEventMessage;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whatever others have put into names, states and messages: views show text, in as many lines as ever. */
class HostileTextTest {
    private static final String HOSTILE =
            "x\nFORGED: line\r\u001b]0;title\u0007\u001b[2J\u009b1A\u202egpj.\u2066\u200b\u2028\u0000\t\udb40\udc01\\";
    private static final String HARMLESS = "x";

    private static final List<Class<?>> VIEWS = List.of(
            DeviceView.class,
            HealthView.class,
            HostBlocks.class,
            MetricsView.class,
            PoolView.class,
            StorageView.class,
            SystemView.class);

    /** The same message with other texts in all its fields. */
    private static Message with(Message message, UnaryOperator<String> change) {
        Message.Builder to = message.toBuilder();
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            boolean isText = field.getJavaType() == FieldDescriptor.JavaType.STRING;
            boolean isMessage = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
            if (field.isRepeated()) {
                for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
                    Object value = message.getRepeatedField(field, i);
                    if (isText) to.setRepeatedField(field, i, change.apply((String) value));
                    if (isMessage) to.setRepeatedField(field, i, with((Message) value, change));
                }
                if (isText) to.addRepeatedField(field, change.apply(""));
            } else if (isText) {
                to.setField(field, change.apply((String) message.getField(field)));
            } else if (isMessage && message.hasField(field)) {
                to.setField(field, with((Message) message.getField(field), change));
            }
        }
        return to.build();
    }

    private static Fault fault(UnaryOperator<String> change) {
        return Fault.of(FaultCode.MISC, change.apply(""))
                .with("leader", change.apply(""))
                .remedy(change.apply(""));
    }

    private static HostReplies<?> hosts(HostReplies<?> all, UnaryOperator<String> change) {
        Map<String, Message> replies = new LinkedHashMap<>();
        all.replies().forEach((host, reply) -> replies.put(host, with((Message) reply, change)));
        Map<String, Fault> errors = new LinkedHashMap<>();
        all.errors().forEach((host, fault) -> errors.put(host, fault(change)));
        return new HostReplies<>(replies, errors);
    }

    private static List<Object> samples(UnaryOperator<String> change) {
        List<Object> all = new ArrayList<>();
        for (HostReplies<?> replies : List.of(
                Samples.scan(),
                Samples.usage(),
                Samples.format(),
                Samples.devices(),
                Samples.smdPools(),
                Samples.drivers())) {
            all.add(hosts(replies, change));
        }
        all.add(new SystemView.Members(
                change.apply(""),
                1,
                List.of((io.daosmesh.model.wire.MemberMessage) with(Samples.member(1, MemberState.JOINED, ""), change)),
                List.of(7),
                List.of("st40")));
        all.add(with(LeaderQueryReply.getDefaultInstance(), change));
        all.add(with(Samples.poolQuery(1, ""), change));
        all.add(with(Samples.poolQuery(1, "").getUnhealthyContainers(0), change));
        all.add(with(Samples.device(1, "", List.of()), change));
        all.add(with(Samples.device(1, "", List.of()).getHealth(), change));
        all.add(with(Samples.created(), change));
        all.add(with(RasEventMessage.getDefaultInstance(), change));
        return all;
    }

    private static Object argument(Class<?> view, Method method, int index, UnaryOperator<String> change) {
        Class<?> type = method.getParameterTypes()[index];
        String generic = method.getGenericParameterTypes()[index].toString();
        if (type == boolean.class) return true;
        if (generic.contains("Integer")) return List.of(1, 2);
        if (generic.contains("RankResultMessage")) {
            return List.of(with(RankResultMessage.newBuilder().setErrored(true).build(), change));
        }
        if (generic.contains("PoolView$Row")) {
            return List.of(new PoolView.Row(
                    (io.daosmesh.model.wire.PoolEntryMessage) with(Samples.entry(1, "", 1), change),
                    Optional.of((io.daosmesh.model.wire.PoolQueryReply) with(Samples.poolQuery(1, ""), change)),
                    Optional.of(fault(change))));
        }
        if (generic.contains("MetricSet")) {
            String text = change.apply("");
            return List.of(new MetricsView.MetricSet(
                    text, text, text, List.of(new MetricsView.Sample("", Map.of(text, text), 1))));
        }
        if (type == HostReplies.class) {
            String reply = generic.replaceAll(".*<|>.*", "");
            return samples(change).stream()
                    .filter(s -> s instanceof HostReplies<?> all
                            && (reply.equals("?")
                                    || all.replies().values().stream()
                                            .anyMatch(
                                                    r -> r.getClass().getName().equals(reply))))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no sample for " + method));
        }
        return samples(change).stream()
                .filter(type::isInstance)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no sample for " + method));
    }

    private static String show(Class<?> view, Method method, UnaryOperator<String> change) throws Exception {
        Object[] arguments = new Object[method.getParameterCount()];
        for (int i = 0; i < arguments.length; i++) arguments[i] = argument(view, method, i, change);
        method.setAccessible(true);
        return (String) method.invoke(null, arguments);
    }

    /** Every method that makes a text of messages, so that a new one is looked at, too. */
    private static Stream<Method> methods(Class<?> view) {
        return Arrays.stream(view.getDeclaredMethods())
                .filter(m -> m.getReturnType() == String.class && Modifier.isStatic(m.getModifiers()))
                .filter(m -> !Modifier.isPrivate(m.getModifiers()) && !m.isSynthetic())
                .filter(m -> m.getParameterCount() > 0 && !m.getParameterTypes()[0].isPrimitive())
                .filter(m -> !m.getName().equals("indent") && !m.getName().equals("uuid"))
                .filter(m -> !m.getGenericParameterTypes()[m.getParameterCount() - 1]
                        .toString()
                        .contains("Function"));
    }

    @Test
    void shouldShowNothingButText() throws Exception {
        int shown = 0;
        for (Class<?> view : VIEWS) {
            for (Method method : methods(view).toList()) {
                String text = show(view, method, old -> HOSTILE);

                check(text, method.toString());
                assertEquals(
                        show(view, method, old -> HARMLESS).lines().count(),
                        text.lines().count(),
                        method + "\n" + text);
                shown++;
            }
        }
        assertTrue(shown > 20, () -> "only " + VIEWS);
    }

    private static void check(String text, String what) {
        assertTrue(text.codePoints().allMatch(c -> Printable.isPlain(c) || c == '\n' || c == '\t'), () -> what + text);
        assertFalse(text.lines().anyMatch(line -> line.strip().startsWith("FORGED")), () -> what + "\n" + text);
        assertFalse(text.contains(HOSTILE.substring(0, 4)), () -> what + "\n" + text);
    }

    @Test
    void shouldShowPropertiesAsText() {
        Map<String, String> values = Map.of("label", HOSTILE, HOSTILE, "x");
        for (PropertyView view : List.of(
                PropertyView.ofPool(values, List.of()),
                PropertyView.ofSystem(values, List.of()),
                PropertyView.ofContainer(values, List.of()))) {
            check(view.text(), "properties");
            assertEquals(4, view.text().lines().count());
        }
    }

    @Test
    void shouldWriteJsonThatReadsBackAndIsText() {
        String json = Json.write(Json.object(HOSTILE, List.of(HOSTILE, "é日本👍\ud800")));

        check(json, "json");
        assertTrue(json.contains("\\\\\""), json);
        assertEquals(Json.object(HOSTILE, List.of(HOSTILE, "é日本👍\ud800")), read(json));
        for (int c = 0; c < 0x3000; c++) {
            String text = Character.toString(c);
            assertEquals(List.of(text), read(Json.write(List.of(text))), Integer.toHexString(c));
        }
    }

    /** JSON is YAML but for half pairs, which its readers refuse: so the escapes are undone by hand. */
    private static Object read(String json) {
        int[] at = {0};
        return value(json, at);
    }

    private static Object value(String json, int[] at) {
        skip(json, at);
        char first = json.charAt(at[0]++);
        if (first == '"') {
            StringBuilder text = new StringBuilder();
            for (char c = json.charAt(at[0]++); c != '"'; c = json.charAt(at[0]++)) {
                if (c != '\\') {
                    text.append(c);
                    continue;
                }
                char e = json.charAt(at[0]++);
                if (e == 'u') {
                    text.append((char) Integer.parseInt(json, at[0], at[0] + 4, 16));
                    at[0] += 4;
                } else {
                    text.append("\n\r\t\"\\".charAt("nrt\"\\".indexOf(e)));
                }
            }
            return text.toString();
        }
        Map<Object, Object> map = new LinkedHashMap<>();
        List<Object> list = new ArrayList<>();
        while (true) {
            skip(json, at);
            if (json.charAt(at[0]) == '}' || json.charAt(at[0]) == ']') break;
            if (json.charAt(at[0]) == ',' || json.charAt(at[0]) == ':') at[0]++;
            else list.add(value(json, at));
        }
        at[0]++;
        if (first == '[') return list;
        for (int i = 0; i < list.size(); i += 2) map.put(list.get(i), list.get(i + 1));
        return map;
    }

    private static void skip(String json, int[] at) {
        while (json.charAt(at[0]) == ' ' || json.charAt(at[0]) == '\n') at[0]++;
    }
}
