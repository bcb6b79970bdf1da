// Values that come in: the text of a line as a tree, and a tree as a value of a parameter's type.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

type scaleboxUnfit struct{ words string }

type scaleboxPair struct{ key, value any }

type scaleboxPairs []scaleboxPair

func scaleboxRefuse(value any, what string) {
	words := fmt.Sprint(value)
	if len(words) > 60 {
		words = strings.ToValidUTF8(words[:60], "") + "..."
	}
	panic(scaleboxUnfit{words + " is no " + what})
}

func scaleboxParse(line []byte) any {
	reader := json.NewDecoder(bytes.NewReader(line))
	reader.UseNumber()
	var tree any
	if err := reader.Decode(&tree); err != nil {
		panic(err)
	}
	return tree
}

// A tree without its tag: json.Number, *big.Int, float64, string, bool, nil, []any or pairs.
func scaleboxUntagged(tree any) any {
	tagged, is := tree.(map[string]any)
	if !is {
		return tree
	}
	for tag, body := range tagged {
		switch tag {
		case "i":
			number, _ := new(big.Int).SetString(body.(string), 16)
			return number
		case "f":
			number, _ := strconv.ParseFloat(body.(string), 64)
			return number
		case "t":
			return body
		case "m":
			pairs := scaleboxPairs{}
			for key, value := range body.(map[string]any) {
				pairs = append(pairs, scaleboxPair{key, value})
			}
			return pairs
		case "d":
			pairs := scaleboxPairs{}
			for _, pair := range body.([]any) {
				two := pair.([]any)
				pairs = append(pairs, scaleboxPair{two[0], two[1]})
			}
			return pairs
		}
	}
	panic(scaleboxUnfit{"Go has no value for an argument"})
}

func scaleboxWhole(tree any) *big.Int {
	switch number := tree.(type) {
	case *big.Int:
		return number
	case json.Number:
		if whole, fits := new(big.Int).SetString(number.String(), 10); fits {
			return whole
		}
		real, err := number.Float64()
		if err == nil && real == math.Trunc(real) {
			whole, _ := big.NewFloat(real).Int(nil)
			return whole
		}
	}
	scaleboxRefuse(tree, "integer")
	return nil
}

func scaleboxReal(tree any) float64 {
	switch number := tree.(type) {
	case float64:
		return number
	case *big.Int:
		real, _ := new(big.Float).SetInt(number).Float64()
		return real
	case json.Number:
		if real, err := number.Float64(); err == nil {
			return real
		}
	}
	scaleboxRefuse(tree, "number")
	return 0
}

// What a tree means to somebody who asks for no type.
func scaleboxNatural(given any) any {
	switch tree := scaleboxUntagged(given).(type) {
	case json.Number:
		if strings.ContainsAny(tree.String(), ".eE") {
			return scaleboxReal(tree)
		}
		return int(scaleboxWhole(tree).Int64())
	case []any:
		items := make([]any, len(tree))
		for at, item := range tree {
			items[at] = scaleboxNatural(item)
		}
		return items
	case scaleboxPairs:
		pairs := map[string]any{}
		for _, pair := range tree {
			pairs[fmt.Sprint(scaleboxNatural(pair.key))] = scaleboxNatural(pair.value)
		}
		return pairs
	default:
		return tree
	}
}

func scaleboxItems(tree any) []any {
	if tree == nil {
		return nil
	}
	items, is := tree.([]any)
	if !is {
		scaleboxRefuse(tree, "list")
	}
	return items
}

// Set a variable to the value of a tree, as its type wants it.
func scaleboxSet(given any, to reflect.Value) {
	kind := to.Type()
	tree := scaleboxUntagged(given)
	switch kind.Kind() {
	case reflect.Bool:
		yes, is := tree.(bool)
		if !is {
			scaleboxRefuse(tree, "bool")
		}
		to.SetBool(yes)
	case reflect.String:
		text, is := tree.(string)
		if !is {
			scaleboxRefuse(tree, "string")
		}
		to.SetString(text)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if text, is := tree.(string); is && kind.Kind() == reflect.Int32 && utf8.RuneCountInString(text) == 1 {
			unit, _ := utf8.DecodeRuneInString(text)
			to.SetInt(int64(unit))
			return
		}
		whole := scaleboxWhole(tree)
		if !whole.IsInt64() || to.OverflowInt(whole.Int64()) {
			scaleboxRefuse(tree, kind.String())
		}
		to.SetInt(whole.Int64())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if text, is := tree.(string); is && kind.Kind() == reflect.Uint8 && len(text) == 1 {
			to.SetUint(uint64(text[0]))
			return
		}
		whole := scaleboxWhole(tree)
		if !whole.IsUint64() || to.OverflowUint(whole.Uint64()) {
			scaleboxRefuse(tree, kind.String())
		}
		to.SetUint(whole.Uint64())
	case reflect.Float32, reflect.Float64:
		to.SetFloat(scaleboxReal(tree))
	case reflect.Slice:
		if tree == nil {
			return
		}
		items := scaleboxItems(tree)
		to.Set(reflect.MakeSlice(kind, len(items), len(items)))
		for at, item := range items {
			scaleboxSet(item, to.Index(at))
		}
	case reflect.Array:
		items := scaleboxItems(tree)
		if len(items) != kind.Len() {
			scaleboxRefuse(tree, kind.String())
		}
		for at, item := range items {
			scaleboxSet(item, to.Index(at))
		}
	case reflect.Map:
		pairs, is := tree.(scaleboxPairs)
		if !is {
			scaleboxRefuse(tree, "map")
		}
		to.Set(reflect.MakeMapWithSize(kind, len(pairs)))
		for _, pair := range pairs {
			key, value := reflect.New(kind.Key()).Elem(), reflect.New(kind.Elem()).Elem()
			if text, is := pair.key.(string); is && kind.Key().Kind() != reflect.String {
				// JSON's keys are texts, also where the map's are numbers.
				scaleboxSet(json.Number(text), key)
			} else {
				scaleboxSet(pair.key, key)
			}
			scaleboxSet(pair.value, value)
			to.SetMapIndex(key, value)
		}
	case reflect.Interface:
		if value := scaleboxNatural(given); value != nil {
			to.Set(reflect.ValueOf(value))
		}
	case reflect.Pointer:
		scaleboxSetPointer(tree, to)
	default:
		panic(scaleboxUnfit{"no value can be made for the type " + kind.String()})
	}
}

func scaleboxHas(kind reflect.Type, names ...string) bool {
	if kind.Kind() != reflect.Struct {
		return false
	}
	for _, name := range names {
		if _, has := kind.FieldByName(name); !has {
			return false
		}
	}
	return true
}

func scaleboxSetPointer(tree any, to reflect.Value) {
	kind := to.Type().Elem()
	switch {
	case kind == reflect.TypeOf(big.Int{}):
		to.Set(reflect.ValueOf(scaleboxWhole(tree)))
	case scaleboxHas(kind, "Val", "Next"):
		for _, item := range scaleboxItems(tree) {
			to.Set(reflect.New(kind))
			scaleboxSet(item, to.Elem().FieldByName("Val"))
			to = to.Elem().FieldByName("Next")
		}
	case scaleboxHas(kind, "Val", "Left", "Right"):
		places := []reflect.Value{to}
		for _, item := range scaleboxItems(tree) {
			if len(places) == 0 {
				panic(scaleboxUnfit{"a tree with values below no node"})
			}
			place := places[0]
			places = places[1:]
			if item == nil {
				continue
			}
			place.Set(reflect.New(kind))
			scaleboxSet(item, place.Elem().FieldByName("Val"))
			places = append(places, place.Elem().FieldByName("Left"), place.Elem().FieldByName("Right"))
		}
	case tree != nil:
		to.Set(reflect.New(kind))
		scaleboxSet(tree, to.Elem())
	}
}
