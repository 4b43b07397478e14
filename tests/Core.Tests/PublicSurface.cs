using System.Reflection;

namespace AdderNet.Core.Tests;

/// <summary>The public types and members of an assembly as text: one line each, types in ordinal order of full names, members indented.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
    };

    public static IEnumerable<string> Describe(Assembly assembly)
    {
        foreach (var type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            yield return $"{Kind(type)} {type.Namespace}.{Name(type)}{Bases(type)}";
            var members = type.IsEnum
                ? Enum.GetNames(type).Select(name => $"{name} = {Enum.Format(type, Enum.Parse(type, name), "d")}")
                : type.GetMembers(Declared).Select(Describe).OfType<string>().Order(StringComparer.Ordinal);
            foreach (var member in members)
                yield return "    " + member;
        }
    }

    private static string? Describe(MemberInfo member) => member switch
    {
        _ when IsWritten(member) is false => null,
        ConstructorInfo c when IsVisible(c) => $"{Name(c.DeclaringType!)}({Parameters(c.GetParameters())})",
        MethodInfo m when IsVisible(m) => $"{Static(m)}{Name(m.ReturnType)} {m.Name}{Generic(m)}({Parameters(m.GetParameters())})",
        PropertyInfo p when p.GetAccessors(nonPublic: true).Any(IsVisible) => $"{Static(p.GetAccessors(true)[0])}{Name(p.PropertyType)} {p.Name} {{{Accessor(p.GetMethod)}{Accessor(p.SetMethod)} }}",
        FieldInfo { IsPublic: true } f => $"{(f.IsLiteral ? "const " : f.IsStatic ? "static " : "")}{Name(f.FieldType)} {f.Name}{(f.IsLiteral ? $" = {f.GetRawConstantValue()}" : "")}",
        EventInfo e when IsVisible(e.AddMethod!) => $"event {Name(e.EventHandlerType!)} {e.Name}",
        _ => null,
    };

    /// <summary>Whether a person wrote it: accessors are shown with their property, and what every record has is not shown.</summary>
    private static bool IsWritten(MemberInfo member)
    {
        if (member is MethodInfo { IsSpecialName: true } special && !special.Name.StartsWith("op_", StringComparison.Ordinal))
            return false;
        var type = member.DeclaringType!;
        var isRecord = type.GetMethod("PrintMembers", Declared) is not null;
        return !isRecord || member.Name is not ("PrintMembers" or "EqualityContract" or "Equals" or "GetHashCode" or "ToString" or "Deconstruct" or "<Clone>$" or "op_Equality" or "op_Inequality")
            && !(member is ConstructorInfo c && c.GetParameters() is [var only] && only.ParameterType == type);
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Accessor(MethodInfo? method) => method is null || !IsVisible(method) ? ""
        : method.ReturnType == typeof(void) ? method.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? " init;" : " set;" : " get;";

    private static string Static(MethodBase method) => method.IsStatic ? "static " : "";

    private static string Generic(MethodInfo method) => method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    private static string Parameters(ParameterInfo[] parameters) => string.Join(", ", parameters.Select(p =>
        $"{(p.IsOut ? "out " : p.IsIn ? "in " : p.ParameterType.IsByRef ? "ref " : "")}{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {p.RawDefaultValue ?? (p.ParameterType.IsValueType ? "default" : "null")}" : "")}"));

    private static string Kind(Type type) => type switch
    {
        { IsInterface: true } => "interface",
        { IsEnum: true } => "enum",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Bases(Type type)
    {
        var bases = new List<Type>();
        if (type is { IsClass: true, BaseType: { } parent } && parent != typeof(object))
            bases.Add(parent);
        bases.AddRange(type.GetInterfaces().Where(i => !i.IsGenericType && !type.IsEnum).OrderBy(i => i.Name, StringComparer.Ordinal));
        return bases.Count > 0 && !type.IsEnum ? " : " + string.Join(", ", bases.Select(Name)) : "";
    }

    private static string Name(Type type)
    {
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword;
        if (type.IsByRef)
            return Name(type.GetElementType()!);
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Name(value) + "?";
        var arguments = type.IsGenericType ? type.GetGenericArguments() : [];
        if (type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true)
            return $"({string.Join(", ", arguments.Select(Name))})";
        return arguments.Length == 0 ? type.Name : $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", arguments.Select(Name))}>";
    }
}
