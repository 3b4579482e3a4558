package billing

import "reflect"

// clone copies the document with all that it refers to, so that compiled terms stay as
// they are whatever happens to the original. By reflection, so that no field of a later
// release can be forgotten.
func clone(c Contract) Contract {
	return deepCopy(reflect.ValueOf(c)).Interface().(Contract)
}

func deepCopy(v reflect.Value) reflect.Value {
	to := reflect.New(v.Type()).Elem()
	to.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			to.Set(reflect.New(v.Type().Elem()))
			to.Elem().Set(deepCopy(v.Elem()))
		}
	case reflect.Struct:
		if v.Type() == decimalType {
			return to // decimals are immutable
		}
		for i := range v.NumField() {
			to.Field(i).Set(deepCopy(v.Field(i)))
		}
	case reflect.Slice:
		if !v.IsNil() {
			to.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				to.Index(i).Set(deepCopy(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			to.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for _, key := range v.MapKeys() {
				to.SetMapIndex(key, deepCopy(v.MapIndex(key)))
			}
		}
	}
	return to
}
