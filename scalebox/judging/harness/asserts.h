/* Between a submission and a test program in C and C++: the tests' own words mean what they say.
 *
 * No name which the submission defines as a macro changes them.  In C some of C++'s words are the
 * library's own macros, and stay.
 */

#undef auto
#undef break
#undef case
#undef char
#undef const
#undef continue
#undef default
#undef do
#undef double
#undef else
#undef enum
#undef extern
#undef float
#undef for
#undef goto
#undef if
#undef inline
#undef int
#undef long
#undef main
#undef register
#undef return
#undef short
#undef signed
#undef sizeof
#undef static
#undef struct
#undef switch
#undef typedef
#undef union
#undef unsigned
#undef void
#undef volatile
#undef while

#ifdef __cplusplus
#undef bool
#undef catch
#undef class
#undef constexpr
#undef const_cast
#undef decltype
#undef delete
#undef dynamic_cast
#undef explicit
#undef false
#undef friend
#undef mutable
#undef namespace
#undef new
#undef nullptr
#undef operator
#undef private
#undef protected
#undef public
#undef reinterpret_cast
#undef static_cast
#undef std
#undef template
#undef this
#undef throw
#undef true
#undef try
#undef typeid
#undef typename
#undef using
#undef virtual
#endif

#undef assert
#undef NDEBUG

/* An expression, and usable in any function; the name in the object file is C's in C++ too. */
#define assert(...) \
    ((__VA_ARGS__) ? (void)0 : __extension__({ \
        extern void scalebox_assert_failed(const char *, const char *, unsigned) \
            __asm__("scalebox_assert_failed"); \
        scalebox_assert_failed(#__VA_ARGS__, __FILE__, __LINE__); \
    }))
