package io.daosmesh.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.parser.ParserException;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * A YAML document as maps, lists, texts, decimal whole numbers and truth values; whatever else YAML knows stays a text. Made
 * from the parser's nodes: the library's own constructor of objects takes a tool some hundredths of a second. Stateless.
 */
final class PlainYaml {
    /** A configuration nests three deep; an alias that contains itself would nest for ever. */
    private static final int DEPTH_MAX = 10;

    private static final Set<String> TRUE = Set.of("true", "yes", "on");

    private PlainYaml() {}

    /** Null for an empty document. Throws the library's YAMLException. */
    static @Nullable Object read(String text) {
        LoaderOptions options = new LoaderOptions();
        Node root =
                new Composer(new ParserImpl(new StreamReader(text), options), new Resolver(), options).getSingleNode();
        return root == null ? null : value(root, 0);
    }

    private static @Nullable Object value(Node node, int depth) {
        if (depth > DEPTH_MAX) throw new ParserException("", null, "nested too deep", node.getStartMark());
        if (node instanceof MappingNode map) return map(map, depth);
        if (node instanceof SequenceNode list) {
            List<@Nullable Object> items = new ArrayList<>();
            for (Node item : list.getValue()) items.add(value(item, depth + 1));
            return items;
        }
        return scalar((ScalarNode) node);
    }

    private static Map<Object, @Nullable Object> map(MappingNode node, int depth) {
        Map<Object, @Nullable Object> map = new LinkedHashMap<>();
        for (NodeTuple entry : node.getValue()) {
            String key = String.valueOf(value(entry.getKeyNode(), depth + 1));
            if (map.containsKey(key)) {
                throw new ParserException(
                        "",
                        null,
                        "found duplicate key " + key,
                        entry.getKeyNode().getStartMark());
            }
            map.put(key, value(entry.getValueNode(), depth + 1));
        }
        return map;
    }

    private static @Nullable Object scalar(ScalarNode node) {
        String text = node.getValue();
        if (node.getTag().equals(Tag.NULL)) return null;
        if (node.getTag().equals(Tag.BOOL)) return TRUE.contains(text.toLowerCase(Locale.ROOT));
        return node.getTag().equals(Tag.INT) ? number(text) : text;
    }

    /** Others than decimal ones stay texts: a port of 010001 is a mistake, not octal. */
    private static Object number(String text) {
        if (text.length() > 1 && text.startsWith("0")) return text;
        try {
            return Integer.valueOf(text);
        } catch (NumberFormatException e) {
            return text;
        }
    }
}
